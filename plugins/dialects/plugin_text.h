// Texts of results as servers of the Nagios family take them. Pure and total.
#pragma once

#include <string>
#include <string_view>

#include "agent/model/check_result.h"

namespace checkrelay {

// Valid UTF-8; line ends as "\n"; other control characters but tab as blanks; none at either end.
[[nodiscard]] std::string clean_lines(std::string_view text);
[[nodiscard]] std::string clean_line(std::string_view text);  // line ends as blanks, too
// On one line: " / " between what were lines, empty ones left out.
[[nodiscard]] std::string flattened(std::string_view text);
// A pipe in an output would begin the perfdata: U+00A6.
[[nodiscard]] std::string without_pipes(std::string_view text);
// Up to the last metric that ends within `limit` bytes; labels in quotes may hold blanks.
[[nodiscard]] std::string_view whole_metrics(std::string_view perfdata, std::size_t limit);
// OP5 and Opsview have 0-2 for hosts (OP5 answers 200 to another and applies nothing): UNKNOWN, a
// plugin's, becomes DOWN, which is also what Nagios makes of it. A service's state past 3 becomes
// UNKNOWN.
[[nodiscard]] State upstream_state(State state, bool host);

}  // namespace checkrelay
