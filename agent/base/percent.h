// Percent encoding in URLs and forms. Pure and total.
#pragma once

#include <string>
#include <string_view>

namespace checkrelay {

// RFC 3986 section 2.1; all but the unreserved characters of section 2.3 are encoded.
[[nodiscard]] std::string percent_encoded(std::string_view text);
// A '%' without two digits behind it stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);
// Queries and form bodies: a plus stands for a blank (WHATWG URL standard, section 5.1).
[[nodiscard]] std::string form_decoded(std::string_view text);

}  // namespace checkrelay
