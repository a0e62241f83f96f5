// The API as an http intake answers it: login with its cookie, and reading what the agent knows of.
#pragma once

#include <memory>
#include <string_view>

#include "agent/port/dialect.h"

namespace checkrelay::opmantek {

constexpr std::string_view kCookie = "checkrelay";  // the session's; the API names none

[[nodiscard]] bool owns_path(std::string_view path);
[[nodiscard]] std::unique_ptr<Conversation> make_inbound(const InboundContext& context);

}  // namespace checkrelay::opmantek
