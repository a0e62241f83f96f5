// What the flow may ask of the world it runs in: the loop in production, a virtual world in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "agent/base/time.h"
#include "agent/port/dialect.h"

namespace checkrelay {

struct Environment {
  std::function<Instant()> now{};  // frozen for a turn
  std::function<void()> kick{};    // asks for Agent::tick() at the end of this turn
  std::function<void(std::function<void()>)> defer{};           // runs at the end of this turn
  std::function<Duration()> longest_turn{};                     // of the loop so far; for metrics
  std::function<std::vector<KnownOutage>(Wall now)> outages{};  // that the agent knows of
  std::uint64_t seed = 0;  // of ids and jitter; random outside tests
};

}  // namespace checkrelay
