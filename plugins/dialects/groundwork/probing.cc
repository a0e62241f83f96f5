#include "plugins/dialects/groundwork/probing.h"

#include "plugins/dialects/answer.h"
#include "plugins/dialects/groundwork/session.h"
#include "plugins/dialects/upstream_test.h"

namespace checkrelay::groundwork {
namespace {

using May = UpstreamTest::May;

// An empty batch is answered with an empty results document, and to who may not write with a 401 as
// any other.
class Probing : public Conversation {
 public:
  Probing(std::shared_ptr<const Settings> settings, std::shared_ptr<CommandReport> report)
      : settings_(std::move(settings)),
        session_(std::make_shared<Session>()),
        entrance_(*settings_, session_),
        report_(std::move(report)) {
    test_.system = "GroundWork";
  }

  void start(Instant now, Actions& out) override { entrance_.enter(now, out); }

  void receive(Message in, Instant now, Actions& out) override {
    note_clock(test_, in, now.wall);
    if (entrance_.state() != Entrance::State::asking) return judge(in, now, out);
    entrance_.receive(in, now, out);
    if (entrance_.state() == Entrance::State::refused) return conclude(refusal(), out);
    if (entrance_.state() == Entrance::State::asking) return;
    out.send.push_back(signed_request(*settings_, session_->token(),
                                      batch_target(*settings_, false),
                                      encode_batch({}, false, settings_->format)));
  }

  void finish(Instant, Actions& out) override {
    conclude({0, Judgement::transient, "ended without an answer", std::nullopt}, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  // The server tells a password that was encoded in another way than it expects from no wrong one.
  [[nodiscard]] Verdict refusal() const {
    Verdict verdict = entrance_.refusal();
    if (verdict.judgement == Judgement::auth)
      verdict.answer += ": see username, password and login_encoding";
    return verdict;
  }

  void judge(const Message& in, Instant now, Actions& out) {
    const Ruling ruling = rule(in);
    Verdict verdict{0, ruling.judgement, words_of(in, settings_->login, session_->token()),
                    retry_after(in, now.wall)};
    if (ruling.kind == Ruling::Kind::rows) verdict.judgement = Judgement::delivered;
    if (ruling.kind == Ruling::Kind::log_in)
      verdict.answer += ": right after a login; may this account write?";
    verdict.answer = presentable(verdict.answer, settings_->login);
    conclude(std::move(verdict), out);
    out.send.push_back(logout_request(*settings_, session_->token()));
  }

  void conclude(Verdict verdict, Actions& out) {
    if (report_) report(verdict);
    out.verdicts.push_back(std::move(verdict));
    out.close = true;
  }

  void report(const Verdict& verdict) {
    const bool taken = verdict.judgement == Judgement::delivered;
    if (!taken) return tell_failure(std::move(test_), verdict, settings_->login, *report_);
    test_.may_submit = May::yes;
    tell(test_, settings_->login, *report_);
  }

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_;
  Entrance entrance_;
  std::shared_ptr<CommandReport> report_;
  UpstreamTest test_{};
};

}  // namespace

std::unique_ptr<Conversation> make_probing(std::shared_ptr<const Settings> settings,
                                           std::shared_ptr<CommandReport> report) {
  return std::make_unique<Probing>(std::move(settings), std::move(report));
}

}  // namespace checkrelay::groundwork
