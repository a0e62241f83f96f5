// The operator's answers over HTTP that are alike everywhere. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/port/message.h"

namespace checkrelay {

constexpr std::string_view kJson = "application/json";

[[nodiscard]] Message json_answer(int status, std::string body);  // ends the line
[[nodiscard]] Message error_answer(int status, std::string_view what);
[[nodiscard]] Message wrong_method(std::string allowed);
[[nodiscard]] Message no_page(std::string_view path);

}  // namespace checkrelay
