// Whether what an upstream confirmed was also applied: for destinations whose upstream may lose
// results in silence; Outbound::reads_back() has it. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/time.h"
#include "agent/port/conversation.h"

namespace checkrelay {

struct ReadBack {
  std::uint64_t applied = 0;
  std::uint64_t not_applied = 0;
  std::uint64_t unclear = 0;  // they could not be seen there
  std::string last{};         // of those not applied the newest, and why; empty = none
};

class ReadsBack {
 public:
  virtual ~ReadsBack() = default;
  // When it wants to look next; none = there is nothing to look at.
  [[nodiscard]] virtual std::optional<Steady> read_back_due() const = 0;
  // Looks at a sample. No items, so no verdicts. Never nullptr once that is due.
  [[nodiscard]] virtual std::unique_ptr<Conversation> read_back(Instant now) = 0;
  // nullptr where the configuration does not ask for it.
  [[nodiscard]] virtual const ReadBack* read_back_found() const = 0;
};

}  // namespace checkrelay
