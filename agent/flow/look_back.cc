#include "agent/flow/look_back.h"

#include <utility>

namespace checkrelay {

std::optional<Steady> LookBack::due() const {
  return !dialect_ || *under_way_ ? std::nullopt : dialect_->read_back_due();
}

void LookBack::tick(Instant now, const Wrap& wrap) {
  const auto when = due();
  if (!when || *when > now.steady) return;
  auto question = dialect_->read_back(now);
  if (!question) return;
  *under_way_ = true;
  carrier_.carry(wrap(std::move(question)),
                 [under_way = std::weak_ptr(under_way_), &env = env_](const auto&) {
                   auto alive = under_way.lock();
                   if (!alive) return;
                   *alive = false;
                   env.kick();
                 });
}

}  // namespace checkrelay
