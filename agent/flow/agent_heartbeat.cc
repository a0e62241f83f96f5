// The agent's own service: when it beats, every destination is handed the same.
#include <utility>

#include "agent/config/heartbeat.h"
#include "agent/flow/agent.h"
#include "agent/flow/vitals.h"

namespace checkrelay {

void Agent::configure_heartbeat(const Config& config) {
  if (!config.heartbeat) {
    for (auto& d : deliveries_) d->withdraw_beat();
    return heartbeat_.reset();
  }
  HeartbeatOptions options = heartbeat_options(*config.heartbeat, config.limits);
  if (heartbeat_) return heartbeat_->change(std::move(options), env_.now());
  heartbeat_.emplace(std::move(options), ~env_.seed, env_.now());
}

// A destination that is new gets the last one, and need not wait for the next.
void Agent::beat(Instant now) {
  if (!heartbeat_) return;
  const bool due = heartbeat_->due() <= now.steady;
  if (due) heartbeat_->beat(vitals_of(status()), now);
  if (!heartbeat_->last()) return;
  for (auto& d : deliveries_)
    if (due || !d->heartbeats().offered()) d->beat(*heartbeat_->last());
}

}  // namespace checkrelay
