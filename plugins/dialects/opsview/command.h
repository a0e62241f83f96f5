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

// `test`, and the destination's probe: logs in with a session of its own, asks who answers, what
// this user may do and how the reload stands, and logs out. Sends no result.
[[nodiscard]] std::unique_ptr<Conversation> make_examination(
    std::shared_ptr<const Settings> settings, std::shared_ptr<CommandReport> report);

}  // namespace checkrelay::opsview
