#include <algorithm>
#include <array>

#include "agent/base/log.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/opsview/command.h"
#include "plugins/dialects/opsview/talk.h"

namespace checkrelay::opsview {
namespace {

using Sense = Answer::Sense;

// The API takes one result a request, so a batch is its items one after the other. Trouble that is
// not an item's own ends the batch: what was not sent shares the verdict.
class Submitting : public Talk {
 public:
  Submitting(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session,
             std::span<const CheckResult> batch)
      : Talk(std::move(settings), std::move(session)), batch_(batch.begin(), batch.end()) {}

  void start(Instant now, Actions& out) override {
    if (!refuse_unaddressable(out)) advance(now, out);
  }

 protected:
  void proceed(Instant now, Actions& out) override {
    if (refuse_unaddressable(out)) return;
    if (miss_ || session().wants_reload_status(now.steady)) {
      stage_ = Stage::reload;
      return ask(get_request(settings().url, "/reload"), out);
    }
    const CheckResult& result = batch_[next_];
    stage_ = wants_lookup(result.subject, now.steady) ? Stage::lookup : Stage::submit;
    ask(stage_ == Stage::lookup
            ? lookup_request(settings().url, result.subject)
            : submit_request(settings().url, settings().form, result, settings().hygiene),
        out);
  }

  void heard(Answer answer, Instant now, Actions& out) override {
    if (answer.sense == Sense::reloading) {
      if (auto status = read_reload(answer.data)) note(*status, now);
      session().note_reloading(now.steady);
      return hold(answer.retry_after, out);
    }
    if (stage_ == Stage::reload) return take_reload(answer, now, out);
    if (answer.sense == Sense::miss) return missed(answer.words, now, out);
    if (answer.sense == Sense::bad) return take_trouble(answer, now, out);
    stage_ == Stage::lookup ? take_lookup(answer, now, out) : take_submit(answer, now, out);
  }

  void end(const Verdict& verdict, Actions& out) override {
    for (; next_ < batch_.size(); ++next_) {
      out.verdicts.push_back(verdict);
      out.verdicts.back().item = next_;
    }
    out.close = true;
  }

 private:
  enum class Stage { reload, lookup, submit };

  // True where nothing is left to do; the conversation is closed then.
  bool refuse_unaddressable(Actions& out) {
    for (; next_ < batch_.size(); ++next_) {
      auto reason = unaddressable(batch_[next_].subject);
      if (!reason) return false;
      out.verdicts.push_back({next_, Judgement::rejected, *reason, std::nullopt, true});
    }
    out.close = true;
    return true;
  }

  // `detail` does not tell a miss from a success, and `status` tells a wildcard's hit only
  // afterwards.
  [[nodiscard]] bool wants_lookup(const Subject& subject, Steady now) const {
    const bool needed =
        settings().form == Form::detail || (may_match_others(subject) && session().can_look_up());
    return needed && !session().knows(subject, now);
  }

  void note(const ReloadStatus& status, Instant now) {
    const int before = session().reload().server_status;
    session().note(status, now.steady);
    if (status.server_status < 2 || status.server_status == before) return;
    constexpr std::array<std::string_view, 3> kTold{"Opsview is not running",
                                                    "Opsview's configuration has errors",
                                                    "Opsview's configuration has warnings"};
    const auto which = std::min<std::size_t>(static_cast<std::size_t>(status.server_status) - 2, 2);
    log(Level::warn, kTold[which],
        {{"destination", settings().name},
         {"messages", presentable(status.messages, settings().login)}});
  }

  void take_reload(const Answer& answer, Instant now, Actions& out) {
    auto status = answer.sense == Sense::good ? read_reload(answer.data) : std::nullopt;
    if (status) {
      note(*status, now);
      if (status->server_status == 1) return hold(std::nullopt, out);
      if (status->server_status == 2)
        return end(verdict(Judgement::transient, "Opsview is not running (server_status 2)"), out);
    } else if (is_hidden(answer)) {
      session().hide_reload(now.steady);
    } else {
      return end(verdict(answer), out);
    }
    miss_ ? judge_miss(now, out) : proceed(now, out);
  }

  // Not for this user, or not in this version: it can be done without.
  static bool is_hidden(const Answer& answer) {
    return answer.sense == Sense::good || answer.judgement == Judgement::config ||
           answer.judgement == Judgement::rejected || answer.judgement == Judgement::auth;
  }

  void take_lookup(const Answer& answer, Instant now, Actions& out) {
    const Subject& subject = batch_[next_].subject;
    switch (selected(answer.data, subject)) {
      case Selection::exact:
        session().remember(subject, now.steady);
        return proceed(now, out);
      case Selection::none:
        return missed("no such host or service, or no right to see it", now, out);
      case Selection::others:
        return give(verdict(Judgement::rejected, "this name selects other objects, too"), now, out);
      case Selection::untold:
        return end(verdict(Judgement::transient, "a lookup named no object: " + answer.words), out);
    }
  }

  void take_submit(const Answer& answer, Instant now, Actions& out) {
    const Selection hit = selected(answer.data, batch_[next_].subject);
    if (hit == Selection::none) return missed("no object was selected", now, out);
    if (hit == Selection::others)
      return give(verdict(Judgement::rejected, "this name selected other objects, too"), now, out);
    const bool good =
        settings().form == Form::status ? hit == Selection::exact : succeeded(answer.data);
    if (good) return give(verdict(Judgement::delivered, answer.words), now, out);
    end(verdict(Judgement::transient, "no confirmation: " + answer.words), out);
  }

  void take_trouble(const Answer& answer, Instant now, Actions& out) {
    const bool optional = stage_ == Stage::lookup && settings().form == Form::status;
    if (optional && is_hidden(answer)) {
      session().hide_lookup();
      return proceed(now, out);
    }
    if (answer.judgement == Judgement::rejected) return give(verdict(answer), now, out);
    end(verdict(answer), out);
  }

  // A miss may be a reload's doing, so the server is asked before the object is called unknown.
  void missed(std::string_view words, Instant now, Actions& out) {
    session().forget(batch_[next_].subject);
    miss_ = std::string(words);
    session().can_see_reload() ? proceed(now, out) : judge_miss(now, out);
  }

  // Unsettled: the item comes again soon, and the destination goes on.
  void judge_miss(Instant now, Actions& out) {
    const bool unsettled = session().unsettled(now.steady);
    std::string words = *miss_;
    if (unsettled) words += " (just after a reload)";
    if (session().reload().pending) words += " (a change waits for a reload)";
    Verdict v = verdict(unsettled ? Judgement::transient : Judgement::unknown_object, words);
    v.local = unsettled;
    give(std::move(v), now, out);
  }

  void hold(std::optional<Duration> wish, Actions& out) {
    end(verdict(Judgement::held, "Opsview reloads", wish.value_or(session().hold())), out);
  }

  void give(Verdict verdict, Instant now, Actions& out) {
    miss_.reset();
    if (verdict.judgement == Judgement::delivered) confirmed();
    verdict.item = next_++;
    out.verdicts.push_back(std::move(verdict));
    proceed(now, out);
  }

  std::vector<CheckResult> batch_;
  std::size_t next_ = 0;  // items before it have their verdict
  Stage stage_ = Stage::submit;
  std::optional<std::string> miss_{};  // of the present item, while the reload is asked after
};

// Ends the session at the server. Nobody waits for what comes of it.
class Leaving : public Conversation {
 public:
  Leaving(std::shared_ptr<const Settings> settings, Secret token)
      : settings_(std::move(settings)), token_(std::move(token)) {}
  void start(Instant, Actions& out) override {
    Message m = logout_request(settings_->url);
    m.headers.push_back({std::string(kUserHeader), settings_->login.user});
    m.secret_headers.push_back({std::string(kTokenHeader), token_});
    out.send.push_back(std::move(m));
  }
  void receive(Message, Instant, Actions& out) override { out.close = true; }
  void finish(Instant, Actions& out) override { out.close = true; }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  std::shared_ptr<const Settings> settings_;
  Secret token_;
};

class OpsviewOutbound : public Outbound {
 public:
  explicit OpsviewOutbound(Settings settings)
      : settings_(std::make_shared<Settings>(std::move(settings))),
        session_(std::make_shared<Session>()) {}
  std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override {
    return std::make_unique<Submitting>(settings_, session_, batch);
  }
  std::unique_ptr<Conversation> probe() override {
    return make_examination(settings_, std::make_shared<CommandReport>());
  }
  Result<std::unique_ptr<Conversation>> command(std::span<const std::string> words,
                                                std::shared_ptr<CommandReport> report) override {
    if (words.size() == 1 && words[0] == "test")
      return make_examination(settings_, std::move(report));
    auto command = parse_command(words);
    if (!command) return tl::unexpected(command.error());
    return make_command(settings_, session_, std::move(*command), std::move(report));
  }
  std::unique_ptr<Conversation> farewell() override {
    if (session_->token().empty()) return nullptr;
    return std::make_unique<Leaving>(settings_, session_->token());
  }

 private:
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_;
};

}  // namespace

std::unique_ptr<Outbound> make_outbound(Settings settings) {
  return std::make_unique<OpsviewOutbound>(std::move(settings));
}

}  // namespace checkrelay::opsview
