#include "tests/support/upstream.h"

#include <algorithm>
#include <utility>

#include "agent/model/packed.h"

namespace checkrelay {
namespace {

// Sends a packed result a message.
struct Batch : Conversation {
  std::vector<CheckResult> results{};
  void start(Instant, Actions& out) override {
    for (const CheckResult& r : results) out.send.push_back(Message::bytes(pack(r)));
  }
  void receive(Message, Instant, Actions&) override {}
  void finish(Instant, Actions&) override {}
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}
};

}  // namespace

Verdict verdict_of(std::size_t item, Judgement j, std::string answer) {
  Verdict v;
  v.item = item;
  v.judgement = j;
  v.answer = std::move(answer);
  return v;
}

Upstream::Judge Upstream::always(Judgement j, std::string answer) {
  return [j, answer](const std::vector<CheckResult>& batch) {
    std::vector<Verdict> verdicts;
    for (std::size_t i = 0; i < batch.size(); ++i) verdicts.push_back(verdict_of(i, j, answer));
    return verdicts;
  };
}

std::vector<std::string> Upstream::outputs() const {
  std::vector<std::string> out;
  for (const Sent& s : sent)
    for (const CheckResult& r : s.batch) out.push_back(r.output);
  return out;
}

std::unique_ptr<Conversation> ScriptedOutbound::open(std::span<const CheckResult> batch) {
  auto conversation = std::make_unique<Batch>();
  conversation->results.assign(batch.begin(), batch.end());
  return conversation;
}

void ScriptedCarrier::carry(std::unique_ptr<Conversation> conversation,
                            std::function<void(std::vector<Verdict>)> done) {
  Actions actions;
  conversation->start(world_.now(), actions);
  std::vector<CheckResult> batch;
  for (const Message& m : actions.send) {
    upstream_.bytes += m.body.size();
    batch.push_back(unpack(m.body).value());
  }
  upstream_.sent.push_back({world_.now().steady, batch});
  upstream_.most_open = std::max(upstream_.most_open, ++upstream_.open);
  std::size_t id = next_++;
  (*flights_)[id] = {std::move(batch), std::move(done)};
  world_.at(world_.now().steady + upstream_.latency,
            [weak = std::weak_ptr(flights_), id, &upstream = upstream_] {
              auto flights = weak.lock();
              if (!flights || flights->count(id) == 0) return;
              Flight flight = std::move(flights->at(id));
              flights->erase(id);
              --upstream.open;
              flight.done(upstream.judge(flight.batch));
            });
}

void ScriptedCarrier::cancel() {
  for (auto& [id, flight] : std::exchange(*flights_, {})) {
    --upstream_.open;
    ++upstream_.cancelled;
    flight.done(Upstream::always(Judgement::transient, "cancelled")(flight.batch));
  }
}

}  // namespace checkrelay
