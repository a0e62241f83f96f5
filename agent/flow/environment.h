// What the flow may ask of the world it runs in: the loop in production, a virtual world in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/base/child.h"
#include "agent/base/time.h"
#include "agent/port/dialect.h"

namespace checkrelay {

struct Environment {
  std::function<Instant()> now{};  // frozen for a turn
  std::function<void()> kick{};    // asks for Agent::tick() at the end of this turn
  std::function<void(std::function<void()>)> defer{};           // runs at the end of this turn
  std::function<Duration()> longest_turn{};                     // of the loop so far; for metrics
  std::function<std::vector<KnownOutage>(Wall now)> outages{};  // that the agent knows of
  // What keep_outages() was given last, of a run before this one; empty: nothing. It may block.
  std::function<Result<std::string>()> kept_outages{};
  std::function<void(std::string)> keep_outages{};  // does not block
  ChildRunner* children = nullptr;                  // of local checks; must outlive the flow
  std::uint64_t seed = 0;                           // of ids and jitter; random outside tests
};

}  // namespace checkrelay
