// The two halves of the dialect.
#pragma once

#include <memory>
#include <string>

#include "agent/port/dialect.h"
#include "agent/port/message.h"
#include "plugins/dialects/op5/wire.h"

namespace checkrelay::op5 {

struct Settings {
  std::string url{};  // the server's root, see command_url()
  Credentials login{};
  Hygiene hygiene{};
  bool verify = false;  // read samples of what was confirmed back
  std::string name{};   // the destination's, for the log
};
[[nodiscard]] std::unique_ptr<Outbound> make_outbound(Settings settings);
// `upstream NAME test`. Sends no result.
[[nodiscard]] std::unique_ptr<Conversation> make_test(const Settings& settings,
                                                      std::shared_ptr<CommandReport> report);

constexpr std::string_view kCommandPath = "/api/command/";
[[nodiscard]] std::unique_ptr<Conversation> make_inbound(const InboundContext& context);

}  // namespace checkrelay::op5
