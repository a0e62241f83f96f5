// Where planned outages come from, when that is another system. One source's half of a dialect;
// what its conversations share (a session) is in it. Loop thread only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/planned_outage.h"
#include "agent/port/command.h"
#include "agent/port/conversation.h"

namespace checkrelay {

// Filled in by the conversation before its verdict, where that is `delivered`.
struct OutageList {
  std::vector<PlannedOutage> outages{};
  std::vector<std::string> complaints{};  // what could not be understood and is left out
};

class OutageSource {
 public:
  virtual ~OutageSource() = default;
  // Asks for all outages: one verdict, for item 0; delivered = `list` holds them.
  [[nodiscard]] virtual std::unique_ptr<Conversation> fetch(std::shared_ptr<OutageList> list) = 0;
  // The operator's words behind the source's name. One verdict, for item 0. invalid: no such
  // command, or not this way; the error says which there are.
  [[nodiscard]] virtual Result<std::unique_ptr<Conversation>> command(
      std::span<const std::string> words, std::shared_ptr<CommandReport> report) = 0;
};

}  // namespace checkrelay
