// The two halves of the dialect.
#pragma once

#include <memory>
#include <string>

#include "agent/port/dialect.h"
#include "agent/port/message.h"
#include "plugins/dialects/opsview/wire.h"

namespace checkrelay::opsview {

struct Settings {
  std::string name{};  // the destination's, for the log
  std::string url{};   // the server's root, see api_url()
  Credentials login{};
  Form form = Form::detail;
  Hygiene hygiene{};
};
[[nodiscard]] std::unique_ptr<Outbound> make_outbound(Settings settings);

constexpr std::string_view kRoot = "/rest";
[[nodiscard]] std::unique_ptr<Conversation> make_inbound(const InboundContext& context);
// The user and token of a request's two headers.
[[nodiscard]] std::optional<Credentials> session_of(const Message& request);

constexpr std::string_view kUserHeader = "X-Opsview-Username";
constexpr std::string_view kTokenHeader = "X-Opsview-Token";

}  // namespace checkrelay::opsview
