// A scripted upstream: what was sent to it, and what it says to that, and after how long. Its
// carrier and outbound half need no wire: the conversation is the batch.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/port/dialect.h"
#include "agent/port/transport.h"
#include "tests/support/world.h"

namespace checkrelay {

[[nodiscard]] Verdict verdict_of(std::size_t item, Judgement j, std::string answer = {});

struct Upstream {
  using Judge = std::function<std::vector<Verdict>(const std::vector<CheckResult>&)>;
  struct Sent {
    Steady at{};
    std::vector<CheckResult> batch{};
  };

  Duration latency = std::chrono::milliseconds(5);
  Judge judge = always(Judgement::delivered);
  std::vector<Sent> sent{};
  std::size_t open = 0;  // conversations now, and at most
  std::size_t most_open = 0;
  std::size_t cancelled = 0;
  std::size_t bytes = 0;  // that were sent

  [[nodiscard]] static Judge always(Judgement j, std::string answer = {});
  // Outputs of all results that were sent, in order.
  [[nodiscard]] std::vector<std::string> outputs() const;
};

class ScriptedOutbound : public Outbound {
 public:
  [[nodiscard]] std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override;
};

class ScriptedCarrier : public Carrier {
 public:
  // Both must outlive the carrier.
  ScriptedCarrier(World& world, Upstream& upstream) : world_(world), upstream_(upstream) {}
  void carry(std::unique_ptr<Conversation> conversation,
             std::function<void(std::vector<Verdict>)> done) override;
  void cancel() override;

 private:
  struct Flight {
    std::vector<CheckResult> batch{};
    std::function<void(std::vector<Verdict>)> done{};
  };
  using Flights = std::map<std::size_t, Flight>;
  World& world_;
  Upstream& upstream_;
  std::size_t next_ = 0;
  std::shared_ptr<Flights> flights_ = std::make_shared<Flights>();
};

}  // namespace checkrelay
