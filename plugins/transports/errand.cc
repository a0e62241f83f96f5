#include "plugins/transports/errand.h"

#include <iterator>
#include <utility>

namespace checkrelay {

Errand::Errand(std::unique_ptr<Conversation> conversation, Done done)
    : conversation_(std::move(conversation)), done_(std::move(done)) {}

void Errand::start(Instant now) {
  started_ = true;
  Actions actions;
  conversation_->start(now, actions);
  take(std::move(actions));
}

void Errand::receive(Message in, Instant now) {
  if (closed_) return;  // the answer to a farewell
  Actions actions;
  conversation_->receive(std::move(in), now, actions);
  take(std::move(actions));
}

void Errand::expire(Instant now) {
  if (closed_) return;
  Actions actions;
  conversation_->expire(now, actions);
  take(std::move(actions));
}

std::optional<Steady> Errand::deadline() const {
  return closed_ ? std::nullopt : conversation_->deadline();
}

std::optional<Message> Errand::next() {
  if (outbox_.empty()) return std::nullopt;
  Message m = std::move(outbox_.front());
  outbox_.pop_front();
  return m;
}

void Errand::end(std::optional<Message> failure, Instant now) {
  if (!started_) start(now);
  if (failure) receive(std::move(*failure), now);
  if (!closed_) {
    Actions actions;
    conversation_->finish(now, actions);
    take(std::move(actions));
  }
  closed_ = true;
  outbox_.clear();
  if (auto done = std::exchange(done_, nullptr)) done(std::move(verdicts_));
}

void Errand::take(Actions&& actions) {
  std::move(actions.send.begin(), actions.send.end(), std::back_inserter(outbox_));
  std::move(actions.verdicts.begin(), actions.verdicts.end(), std::back_inserter(verdicts_));
  closed_ = closed_ || actions.close;
}

}  // namespace checkrelay
