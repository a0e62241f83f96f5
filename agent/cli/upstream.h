// `checkrelay upstream NAME WORD…`: the agent asks its upstream, we show the answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/office.h"
#include "agent/policy/zone.h"

namespace checkrelay {

[[nodiscard]] int upstream_command(const Office& office, const Arguments& arguments);

// Times behind --start and --end that are dates become epoch seconds, those without a zone by
// `zone`; other words stay as they are.
[[nodiscard]] std::vector<std::string> with_epochs(std::vector<std::string> words,
                                                   const Zone& zone);
// An answer's JSON for people: a table of a list of objects, else a line a member. Text that is no
// JSON is an error.
[[nodiscard]] Result<std::string> upstream_view(std::string_view json);
struct UpstreamAnswer {
  std::string end{};     // done refused unreachable
  std::string answer{};  // done: JSON; else JSON or empty
  std::string error{};
};
[[nodiscard]] Result<UpstreamAnswer> read_upstream_answer(std::string_view json);

}  // namespace checkrelay
