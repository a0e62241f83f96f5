// Asks a GroundWork server whether results would be taken, and brings none.
#pragma once

#include <memory>

#include "agent/port/command.h"
#include "plugins/dialects/groundwork/conversations.h"

namespace checkrelay::groundwork {

// With a login of its own, which it ends. `report`, where there is one, gets what an operator wants
// to know of it.
[[nodiscard]] std::unique_ptr<Conversation> make_probing(std::shared_ptr<const Settings> settings,
                                                         std::shared_ptr<CommandReport> report);

}  // namespace checkrelay::groundwork
