#include "plugins/dialects/groundwork/asking.h"

#include "agent/base/text.h"
#include "plugins/dialects/answer.h"

namespace checkrelay::groundwork {
namespace {

using End = CommandReport::End;

// With the destination's own login; where that has ended, one more is made, as for results.
class Asking : public Conversation {
 public:
  Asking(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session,
         Command command, std::shared_ptr<CommandReport> report)
      : settings_(std::move(settings)),
        session_(std::move(session)),
        entrance_(*settings_, session_),
        command_(std::move(command)),
        report_(std::move(report)) {}

  void start(Instant now, Actions& out) override { enter(now, out); }

  void receive(Message in, Instant now, Actions& out) override {
    if (over_) return;
    if (entrance_.state() == Entrance::State::asking) {
      entrance_.receive(in, now, out);
      return go_on(now, out);
    }
    take(in, now, out);
  }

  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
    if (!over_) end(End::unreachable, Judgement::transient, "ended without an answer", out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}
  [[nodiscard]] std::optional<Steady> deadline() const override { return entrance_.deadline(); }
  void expire(Instant now, Actions& out) override {
    if (over_ || entrance_.state() != Entrance::State::waiting) return;
    entrance_.expire(now, out);
    go_on(now, out);
  }

 private:
  void enter(Instant now, Actions& out) {
    entrance_.enter(now, out);
    go_on(now, out);
  }

  void go_on(Instant now, Actions& out) {
    const Verdict& refusal = entrance_.refusal();
    if (entrance_.state() == Entrance::State::refused)
      return end(End::unreachable, refusal.judgement, refusal.answer, out);
    if (entrance_.state() != Entrance::State::inside) return;
    used_ = session_->token();
    if (used_.empty()) return enter(now, out);
    ask(out);
  }

  void ask(Actions& out) {
    out.send.push_back(
        signed_command(*settings_, used_, command_request(command_, settings_->format, attempt_)));
  }

  void take(const Message& in, Instant now, Actions& out) {
    if (in.kind != Message::Kind::response) return fail_with(in, out);
    if (in.status / 100 == 2) return take_good(in, out);
    if (in.status == 401) return log_in_again(in, now, out);
    // The login was found, so the API is there: no page is a host that is not.
    if (in.status == 404 && !is_page(in)) return take_nothing(in, out);
    if (in.status == 405 && more_ways()) return ask_otherwise(out);
    fail_with(in, out);
  }

  void take_good(const Message& in, Actions& out) {
    const std::string* type = in.header("Content-Type");
    auto json = read_answer(command_, in.body, type ? *type : "");
    if (json) return done(std::move(*json), out);
    if (json.error().code == Errc::refused)
      return end(End::refused, Judgement::rejected, json.error().what, out);
    if (more_ways()) return ask_otherwise(out);
    end(End::unreachable, Judgement::transient, json.error().what, out);
  }

  void take_nothing(const Message& in, Actions& out) {
    if (more_ways()) return ask_otherwise(out);
    if (auto json = nothing_found(command_)) return done(std::move(*json), out);
    const std::string no_host = "no host " + checkrelay::quoted(command_.names[0]);
    end(End::refused, Judgement::rejected, no_host + ": " + words(in), out);
  }

  [[nodiscard]] bool more_ways() const { return attempt_ + 1 < attempts_of(command_); }
  void ask_otherwise(Actions& out) {
    ++attempt_;
    ask(out);
  }

  // Right after a login, a 401 means that this user may not write.
  void log_in_again(const Message& in, Instant now, Actions& out) {
    const bool fresh = entrance_.logged_in();
    if (!denied_ && !fresh) {
      denied_ = true;
      session_->discard(used_);
      return enter(now, out);
    }
    end(End::refused, Judgement::auth,
        words(in) + ": right after a login; may this account do that?", out);
  }

  void fail_with(const Message& in, Actions& out) {
    const bool too_large = in.kind == Message::Kind::failure && in.trouble == Trouble::too_large;
    const bool no = in.kind == Message::Kind::response &&
                    (in.status == 400 || in.status == 403 || in.status == 409 || in.status == 422);
    end(no ? End::refused : End::unreachable, no ? Judgement::rejected : Judgement::transient,
        words(in) + (too_large ? "; ask for fewer, with --count" : ""), out);
  }

  [[nodiscard]] std::string words(const Message& in) const {
    return words_of(in, settings_->login, used_);
  }

  void done(std::string json, Actions& out) {
    report_->json = std::move(json);
    end(End::done, Judgement::delivered, "done", out);
  }

  void end(End how, Judgement judgement, std::string_view words, Actions& out) {
    report_->end = how;
    const std::string shown = without_secrets(words, settings_->login, used_);
    if (how != End::done) report_->what = shown;
    out.verdicts.push_back({0, judgement, shown, std::nullopt});
    over_ = out.close = true;
  }

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_;
  Entrance entrance_;
  Command command_;
  std::shared_ptr<CommandReport> report_;
  Secret used_{};
  std::size_t attempt_ = 0;  // of the ways to ask for it
  bool denied_ = false;      // a token was refused
  bool over_ = false;
};

}  // namespace

std::unique_ptr<Conversation> make_asking(std::shared_ptr<const Settings> settings,
                                          std::shared_ptr<Session> session, Command command,
                                          std::shared_ptr<CommandReport> report) {
  return std::make_unique<Asking>(std::move(settings), std::move(session), std::move(command),
                                  std::move(report));
}

}  // namespace checkrelay::groundwork
