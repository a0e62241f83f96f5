// The conversation of an operator's command with a GroundWork server.
#pragma once

#include <memory>

#include "agent/port/command.h"
#include "plugins/dialects/groundwork/command.h"
#include "plugins/dialects/groundwork/session.h"

namespace checkrelay::groundwork {

[[nodiscard]] std::unique_ptr<Conversation> make_asking(std::shared_ptr<const Settings> settings,
                                                        std::shared_ptr<Session> session,
                                                        Command command,
                                                        std::shared_ptr<CommandReport> report);

}  // namespace checkrelay::groundwork
