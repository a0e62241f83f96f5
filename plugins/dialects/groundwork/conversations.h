// The two halves of the dialect.
#pragma once

#include <memory>
#include <string>

#include "agent/port/dialect.h"
#include "agent/port/message.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {

struct Settings {
  std::string url{};  // the server's root, see api_url()
  Credentials login{};
  std::string app_name{};
  LoginEncoding login_encoding = LoginEncoding::base64;
  Format format = Format::json;
  bool merge = true;                    // names that differ in case alone are one host
  std::size_t batch_bytes = 1'000'000;  // of one request's body; a larger item goes alone
  Identity identity{};
};
[[nodiscard]] std::unique_ptr<Outbound> make_outbound(Settings settings);

[[nodiscard]] bool owns(std::string_view path);
// The token that a request brings, and the application that it is good for with it; see Dialect.
[[nodiscard]] std::optional<Credentials> session_of(const Message& request);
[[nodiscard]] std::unique_ptr<Conversation> make_inbound(const InboundContext& context);

}  // namespace checkrelay::groundwork
