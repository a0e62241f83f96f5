#include "plugins/transports/exchange.h"

#include <utility>

namespace checkrelay {
namespace {

constexpr std::size_t kResultOverhead = 128;  // bytes of a CheckResult beside its texts, about

std::size_t size_of(const Submission& submission) {
  std::size_t bytes = 0;
  for (const CheckResult& r : submission.results)
    bytes += kResultOverhead + r.subject.host.size() + r.subject.service.size() + r.output.size() +
             r.perfdata.size();
  return bytes;
}

}  // namespace

Exchange::Exchange(Loop& loop, Receiver& receiver, Peer peer,
                   std::unique_ptr<Conversation> conversation, Pipe& pipe)
    : loop_(loop),
      receiver_(receiver),
      peer_(std::move(peer)),
      conversation_(std::move(conversation)),
      pipe_(&pipe) {}

template <typename Call>
void Exchange::step(Call call) {
  if (closed_ || !pipe_) return;
  const auto self = shared_from_this();  // performing may end the connection
  Actions actions;
  call(actions);
  perform(actions);
}

void Exchange::start() {
  step([this](Actions& out) { conversation_->start(loop_.now(), out); });
}

void Exchange::receive(Message&& message) {
  const bool request = message.kind == Message::Kind::request;
  if (request) request_ = message;
  step([&](Actions& out) { conversation_->receive(std::move(message), loop_.now(), out); });
  if (request) request_ = Message{};
}

void Exchange::finish() {
  step([this](Actions& out) { conversation_->finish(loop_.now(), out); });
}

void Exchange::expire() {
  const auto due = deadline();
  if (!due || loop_.now().steady < *due) return;
  step([this](Actions& out) { conversation_->expire(loop_.now(), out); });
}

std::optional<Steady> Exchange::deadline() const {
  return closed_ ? std::nullopt : conversation_->deadline();
}

void Exchange::perform(Actions& actions) {
  closed_ = closed_ || actions.close;
  if (!actions.refused.empty()) receiver_.refused(peer_, actions.refused);
  for (Submission& submission : actions.submit) submit(std::move(submission));
  refusals_ = out_ == 0 ? 0 : refusals_ + actions.refused.size();
  if (actions.inquire) inquire(*actions.inquire);
  for (std::size_t i = 0; i < actions.send.size() && pipe_; ++i)
    pipe_->deliver(std::move(actions.send[i]), actions.close && i + 1 == actions.send.size());
  if (actions.close && pipe_) pipe_->conclude();
}

void Exchange::submit(Submission submission) {
  const Ticket ticket = submission.ticket;
  const std::size_t results = submission.results.size();
  const std::size_t bytes = size_of(submission);
  ++out_;
  results_ += results;
  bytes_ += bytes;
  auto done = [weak = weak_from_this(), ticket, results, bytes](std::vector<Outcome> outcomes) {
    const auto self = weak.lock();
    if (!self) return;
    if (--self->out_ == 0) self->refusals_ = 0;
    self->results_ -= results;
    self->bytes_ -= bytes;
    self->step([&](Actions& out) {
      self->conversation_->settle(ticket, outcomes, self->loop_.now(), out);
    });
    if (self->pipe_) self->pipe_->progressed();
  };
  receiver_.submit(peer_, std::move(submission), std::move(done));
}

void Exchange::inquire(Ticket ticket) {
  ++out_;
  auto done = [weak = weak_from_this(), ticket](Message response) {
    const auto self = weak.lock();
    if (!self) return;
    --self->out_;
    self->step([&](Actions& out) {
      self->conversation_->answer(ticket, std::move(response), self->loop_.now(), out);
    });
    if (self->pipe_) self->pipe_->progressed();
  };
  receiver_.inquire(peer_, std::exchange(request_, Message{}), std::move(done));
}

}  // namespace checkrelay
