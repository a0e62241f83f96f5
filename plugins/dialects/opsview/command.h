// What an operator asks of an Opsview server: what it is, and its reload. The agent reloads nothing
// by itself.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "agent/port/command.h"
#include "plugins/dialects/opsview/conversations.h"
#include "plugins/dialects/opsview/session.h"

namespace checkrelay::opsview {

struct Command {
  enum class Verb { info, reload_status, reload_start };
  Verb verb = Verb::info;
  std::string changelog{};  // reload_start; some servers want one
};
// invalid: no such command; the error says which there are.
[[nodiscard]] Result<Command> parse_command(std::span<const std::string> words);

[[nodiscard]] std::unique_ptr<Conversation> make_command(std::shared_ptr<const Settings> settings,
                                                         std::shared_ptr<Session> session,
                                                         Command command,
                                                         std::shared_ptr<CommandReport> report);

}  // namespace checkrelay::opsview
