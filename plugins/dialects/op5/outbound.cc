#include <algorithm>

#include "plugins/dialects/op5/conversations.h"
#include "plugins/dialects/op5/verify.h"

namespace checkrelay::op5 {
namespace {

// The API takes one result a request, so a batch is its items one after the other. Trouble that is
// not an item's own ends the batch: what was not sent shares the verdict.
class Submitting : public Conversation {
 public:
  // `verifier`: nullptr where nobody verifies.
  Submitting(const Settings& settings, std::shared_ptr<Verifier> verifier,
             std::span<const CheckResult> batch)
      : settings_(settings), verifier_(std::move(verifier)), batch_(batch.begin(), batch.end()) {}

  void start(Instant now, Actions& out) override { send_next(now, out); }
  void receive(Message in, Instant now, Actions& out) override {
    if (next_ == batch_.size()) return;
    Verdict verdict = judge(in, settings_.login, now.wall);
    if (verifier_ && verdict.judgement == Judgement::delivered)
      verifier_->confirmed(batch_[next_].subject, in, sent_, now);
    take(std::move(verdict), now, out);
  }
  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  void take(Verdict verdict, Instant now, Actions& out) {
    bool own = verdict.judgement == Judgement::delivered ||
               verdict.judgement == Judgement::rejected ||
               verdict.judgement == Judgement::unknown_object;
    std::size_t end = own ? next_ + 1 : batch_.size();
    for (; next_ < end; ++next_) {
      verdict.item = next_;
      out.verdicts.push_back(verdict);
    }
    send_next(now, out);
  }

  void send_next(Instant now, Actions& out) {
    sent_ = now.steady;
    for (; next_ < batch_.size(); ++next_) {
      auto reason = unaddressable(batch_[next_].subject);
      if (!reason) return out.send.push_back(request(batch_[next_]));
      out.verdicts.push_back({next_, Judgement::rejected, *reason, std::nullopt, true});
    }
    out.close = true;
  }

  [[nodiscard]] Message request(const CheckResult& result) const {
    Message m = Message::request("POST", command_url(settings_.url, result.subject.is_host()),
                                 encode_body(result, settings_.hygiene));
    m.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!settings_.login.user.empty()) m.credentials = settings_.login;
    return m;
  }

  Settings settings_;
  std::shared_ptr<Verifier> verifier_;
  std::vector<CheckResult> batch_;
  Steady sent_{};         // the request under way
  std::size_t next_ = 0;  // items before it have their verdict
};

// Looks at a command without giving one. The API asks for credentials before it looks at anything
// else, so that every answer of its own but 401 and 403 says that they are good.
class Probing : public Conversation {
 public:
  explicit Probing(const Settings& settings) : settings_(settings) {}

  void start(Instant, Actions& out) override {
    Message m = Message::request("GET", command_url(settings_.url, true));
    m.headers = {{"Accept", "application/json"}};
    if (!settings_.login.user.empty()) m.credentials = settings_.login;
    out.send.push_back(std::move(m));
  }
  void receive(Message in, Instant now, Actions& out) override {
    Verdict verdict = judge(in, settings_.login, now.wall);
    const bool its_own =
        in.kind == Message::Kind::response && (in.status == 400 || in.status == 405);
    if (its_own) {
      verdict.judgement = Judgement::delivered;
      verdict.answer = "HTTP " + std::to_string(in.status);
    }
    verdict.item = 0;
    out.verdicts.push_back(std::move(verdict));
    out.close = true;
  }
  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  Settings settings_;
};

class Op5Outbound : public Outbound, public ReadsBack {
 public:
  explicit Op5Outbound(Settings settings) : settings_(std::move(settings)) {
    if (settings_.verify) verifier_ = std::make_shared<Verifier>(settings_.name);
  }
  std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override {
    return std::make_unique<Submitting>(settings_, verifier_, batch);
  }
  std::unique_ptr<Conversation> probe() override { return std::make_unique<Probing>(settings_); }
  Result<std::unique_ptr<Conversation>> command(std::span<const std::string> words,
                                                std::shared_ptr<CommandReport> report) override {
    if (words.size() == 1 && words[0] == "test") return make_test(settings_, std::move(report));
    return fail(Errc::invalid, "there are: test");
  }
  ReadsBack* reads_back() override { return this; }
  std::optional<Steady> read_back_due() const override {
    return verifier_ ? verifier_->due() : std::nullopt;
  }
  std::unique_ptr<Conversation> read_back(Instant now) override {
    return make_read_back(settings_, verifier_, verifier_->next(now));
  }
  const ReadBack* read_back_found() const override {
    return verifier_ ? &verifier_->found() : nullptr;
  }

 private:
  Settings settings_;
  std::shared_ptr<Verifier> verifier_;  // nullptr where nobody verifies
};

}  // namespace

std::unique_ptr<Outbound> make_outbound(Settings settings) {
  return std::make_unique<Op5Outbound>(std::move(settings));
}

}  // namespace checkrelay::op5
