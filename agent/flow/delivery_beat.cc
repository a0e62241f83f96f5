// How a delivery sends the agent's own heartbeat.
#include <algorithm>
#include <utility>

#include "agent/base/log.h"
#include "agent/flow/delivery.h"

namespace checkrelay {

// Neither the rate nor a load that rises after an outage keeps it back: it is one now and then.
// While there is trouble it takes turns with the results, so that neither keeps the other from
// finding out that it is over.
bool Delivery::beat_may_go(Instant now) const {
  if (retiring_ || !heartbeats_.waiting() || paused()) return false;
  if (!breaker_.probing()) return in_flight_ < max_in_flight_;
  const bool results_wait = claiming_ || !ready_.empty() || something_due(now);
  return in_flight_ == 0 && !(beat_probed_ && results_wait);
}

std::optional<Steady> Delivery::beat_deadline(Instant now) const {
  if (!beat_may_go(now)) return std::nullopt;
  return std::max(now.steady, breaker_.next_attempt());
}

void Delivery::launch_beat(Instant now) {
  if (!beat_may_go(now) || breaker_.next_attempt() > now.steady) return;
  ++in_flight_;
  beat_probed_ = true;
  const CheckResult heartbeat = heartbeats_.take();
  carrier_->carry(
      counted(outbound_->open({&heartbeat, 1})),
      [self = std::weak_ptr(self_), began = now.steady](const std::vector<Verdict>& verdicts) {
        auto alive = self.lock();
        if (!alive) return;
        Verdict none;
        none.answer = "the conversation ended without a verdict";
        (*alive)->beat_landed(verdicts.empty() ? none : verdicts.front(), began);
      });
}

// That an upstream does not know the service is the heartbeat's trouble alone.
void Delivery::beat_landed(const Verdict& verdict, Steady began) {
  --in_flight_;
  const Instant now = env_.now();
  bool changed = false;
  const bool tells = heartbeats_.landed(verdict, !breaker_.probing(), now.wall, changed);
  const bool taken = heartbeats_.counts().taken.value_or(false);
  if (changed)
    log(taken ? Level::info : Level::warn,
        taken ? "the heartbeat is taken again" : "the heartbeat is refused",
        {{"destination", config_.name}, {"answer", verdict.answer}});
  if (tells) {
    const Breaker::State before = breaker_.state();
    breaker_.record(verdict, began, now.steady);
    Verdict cause = verdict;
    if (!breaker_.probing()) cause.judgement = Judgement::delivered;
    if (breaker_.state() != before || breaker_.probing()) note_state(before, cause, now.steady);
  }
  if (breaker_.probing()) put_back_ready();
  take_leave();
  env_.kick();
}

}  // namespace checkrelay
