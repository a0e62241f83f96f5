// What a delivery asks its upstream besides taking results: the operator's commands, whether what
// was taken was applied, and leave.
#include "agent/base/json.h"
#include "agent/flow/delivery.h"
#include "agent/flow/metered.h"

namespace checkrelay {
namespace {

// The answer to `test` of a dialect that has no such command, but perhaps a probe.
CommandReport report_of(const std::string& type, const Verdict& v) {
  using End = CommandReport::End;
  CommandReport report;
  report.what = v.answer;
  if (v.judgement == Judgement::auth) report.end = End::refused;
  if (v.judgement != Judgement::delivered) return report;
  report.end = End::done;
  JsonWriter json(report.json);
  json.begin_object().key("system").text(type).key("may_submit").text("unknown");
  json.key("remarks").begin_array().text(v.answer).end_array().end_object();
  return report;
}

bool is_test(std::span<const std::string> words) { return words.size() == 1 && words[0] == "test"; }

}  // namespace

Result<void> Delivery::command(std::span<const std::string> words,
                               std::function<void(const CommandReport&)> told) {
  auto report = std::make_shared<CommandReport>();
  auto asked = outbound_->command(words, report);
  if (!asked && is_test(words)) {
    probe(std::move(told));
    return {};
  }
  if (!asked) return tl::unexpected(asked.error());
  carrier_->carry(std::move(*asked),
                  [report, told = std::move(told)](const auto&) { told(*report); });
  return {};
}

void Delivery::probe(std::function<void(const CommandReport&)> told) {
  auto question = outbound_->probe();
  auto tell = [told = std::move(told), type = config_.type](const std::vector<Verdict>& verdicts) {
    told(verdicts.empty() ? CommandReport() : report_of(type, verdicts.front()));
  };
  if (question) return carrier_->carry(std::move(question), std::move(tell));
  env_.defer([tell = std::move(tell)] {
    tell({{0, Judgement::delivered, "nothing to ask: this type has no server", std::nullopt}});
  });
}

// Of an upstream in trouble no leave is taken: a stop would wait for it, and sessions end by
// themselves.
void Delivery::take_leave() {
  if (!retiring_ || took_leave_ || !idle()) return;
  took_leave_ = true;
  auto farewell = breaker_.probing() ? nullptr : outbound_->farewell();
  if (!farewell) return;
  ++in_flight_;
  carrier_->carry(std::move(farewell), [self = std::weak_ptr(self_)](const auto&) {
    auto alive = self.lock();
    if (!alive) return;
    --(*alive)->in_flight_;
    (*alive)->env_.kick();
  });
}

bool Delivery::at_rest() const {
  const bool may = !retiring_ && !breaker_.probing() && !paused();
  return may && in_flight_ == 0 && !claiming_ && ready_.empty();
}

std::unique_ptr<Conversation> Delivery::counted(std::unique_ptr<Conversation> conversation) {
  if (bytes_.unlimited()) return conversation;
  return metered(std::move(conversation),
                 [this_ = std::weak_ptr(self_)](std::size_t bytes, Steady at) {
                   if (auto alive = this_.lock()) (*alive)->bytes_.charge(bytes, at);
                 });
}

void Delivery::look_back(Instant now) {
  if (!at_rest()) return;
  look_back_.tick(now, [this](auto question) { return counted(std::move(question)); });
}

}  // namespace checkrelay
