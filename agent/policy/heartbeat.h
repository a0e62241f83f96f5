// The agent's own service: when it beats, and what it says. Pure.
//
// Beats are on a grid that does not drift, whose phase the host's name decides, so that many agents
// do not speak in the same moment; the first one comes at once. What is late by more than a beat is
// left out, not made up for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/policy/admission.h"

namespace checkrelay {

// From `warn` on it is a WARNING, from `crit` on CRITICAL; 0 = off.
template <typename T>
struct Threshold {
  T warn{};
  T crit{};
  [[nodiscard]] State judge(T value) const {
    return crit > T{} && value >= crit ? 2 : warn > T{} && value >= warn ? 1 : 0;
  }
  bool operator==(const Threshold&) const = default;
};

struct HeartbeatOptions {
  Subject subject{};
  Duration every = std::chrono::seconds(60);
  Threshold<std::uint64_t> pending{};
  Threshold<Duration> oldest{};
  Threshold<std::uint64_t> dead{};
  Threshold<Duration> trouble{};       // how long a destination has been in it
  Threshold<std::uint64_t> journal{};  // bytes
  std::uint64_t journal_most = 0;      // bytes; 0 = not known
  bool operator==(const HeartbeatOptions&) const = default;
};

// The agent as a whole, the same for whoever hears of it.
struct Vitals {
  struct Destination {
    std::string name{};
    std::string state{};                // "ok", or what it is in
    std::optional<Duration> lasting{};  // so long; none: it is no trouble by itself
    std::string answer{};               // the upstream's last words
    bool will_not_heal = false;         // by itself: somebody has to do something
  };
  std::uint64_t pending = 0;
  std::optional<Duration> oldest{};  // age of the oldest pending one that nothing planned holds
  std::uint64_t held = 0;            // subjects that planned outages hold
  std::uint64_t dead = 0;
  std::uint64_t accepted = 0;   // so far
  std::uint64_t delivered = 0;  // so far, all destinations together
  std::uint64_t journal_bytes = 0;
  std::string journal_trouble{};  // why it takes nothing; empty = it does
  std::vector<Destination> destinations{};
};

struct HeartbeatRates {  // a second
  double ingest = 0;
  double delivery = 0;
};

// State, output (one line) and perfdata (pending oldest_pending dead ingest_rate delivery_rate
// journal_bytes; units by the Nagios plugin guidelines, "Performance data").
[[nodiscard]] CheckResult heartbeat_result(const HeartbeatOptions& options, const Vitals& vitals,
                                           const HeartbeatRates& rates);

class Heartbeat {
 public:
  // `seed`: of the ids.
  Heartbeat(HeartbeatOptions options, std::uint64_t seed, Instant now);
  // Counts from the next beat on. The beat stays where `every` and the host do.
  void change(HeartbeatOptions options, Instant now);
  [[nodiscard]] Steady due() const { return due_; }
  // Beats. The rates are those since the beat before; of the first one 0.
  const CheckResult& beat(const Vitals& vitals, Instant now);
  [[nodiscard]] const std::optional<CheckResult>& last() const { return last_; }

 private:
  [[nodiscard]] Steady next_on_grid(Steady now) const;
  void anchor(Instant now);
  [[nodiscard]] HeartbeatRates rates(const Vitals& vitals, Steady now);

  HeartbeatOptions options_;
  IdMaker ids_;
  Steady grid_{};  // a point of it
  Steady due_{};
  std::optional<CheckResult> last_{};
  Steady last_beat_{};
  std::uint64_t accepted_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace checkrelay
