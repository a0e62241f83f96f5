#include "plugins/dialects/opsview/talk.h"

#include <utility>

#include "agent/base/text.h"
#include "plugins/dialects/answer.h"

namespace checkrelay::opsview {
namespace {

// How often a conversation looks whether another one has logged in.
constexpr Duration kGlance = std::chrono::milliseconds(20);

}  // namespace

Talk::Talk(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session)
    : settings_(std::move(settings)), session_(std::move(session)) {}

Talk::~Talk() {
  if (step_ == Step::version || step_ == Step::login) session_->end_login();
}

void Talk::advance(Instant now, Actions& out) {
  if (session_->signed_in(now.steady)) return proceed(now, out);
  if (session_->signing_in()) return wait(now);
  session_->begin_login();
  step_ = Step::version;
  out.send.push_back(get_request(settings_->url, ""));
}

void Talk::wait(Instant now) {
  failures_ = session_->failures();
  waiting_ = now.steady + kGlance;
}

void Talk::expire(Instant now, Actions& out) {
  if (!waiting_ || now.steady < *waiting_) return;
  if (session_->signing_in() && session_->failures() == failures_) {
    waiting_ = now.steady + kGlance;
    return;
  }
  waiting_.reset();
  if (session_->failures() != failures_) return end(session_->failure(), out);
  advance(now, out);
}

void Talk::ask(Message request, Actions& out) {
  step_ = Step::asked;
  used_ = session_->token();
  request.headers.push_back({std::string(kUserHeader), settings_->login.user});
  request.secret_headers.push_back({std::string(kTokenHeader), used_});
  out.send.push_back(std::move(request));
}

void Talk::receive(Message in, Instant now, Actions& out) {
  if (step_ == Step::idle) return;
  Answer answer = read_answer(in, now.wall);
  if (step_ == Step::version) return take_version(answer, now, out);
  if (step_ == Step::login) return take_login(answer, now, out);
  take(std::move(answer), now, out);
}

void Talk::finish(Instant now, Actions& out) {
  waiting_.reset();
  Answer answer =
      read_answer(Message::failure(Trouble::dropped, "ended without an answer"), now.wall);
  const Verdict dropped = verdict(answer);
  if (step_ == Step::version || step_ == Step::login) return login_failed(dropped, out);
  step_ = Step::idle;
  end(dropped, out);
}

void Talk::take_version(const Answer& answer, Instant, Actions& out) {
  if (answer.sense != Answer::Sense::good) return login_failed(verdict(answer), out);
  if (auto reason = too_new(answer.data))
    return login_failed(verdict(Judgement::config, *reason), out);
  step_ = Step::login;
  out.send.push_back(login_request(settings_->url, settings_->login));
}

void Talk::take_login(const Answer& answer, Instant now, Actions& out) {
  if (answer.sense != Answer::Sense::good) {
    return login_failed(verdict(answer), out);
  }
  auto token = read_token(answer.data);
  if (!token) return login_failed(verdict(Judgement::transient, token.error().what), out);
  step_ = Step::idle;
  renewed_ = true;
  session_->accept(std::move(*token), now.steady);
  proceed(now, out);
}

// A login names no object: what would be an item's fault elsewhere is the endpoint's here.
void Talk::login_failed(Verdict verdict, Actions& out) {
  if (verdict.judgement == Judgement::rejected || verdict.judgement == Judgement::unknown_object)
    verdict.judgement = Judgement::config;
  step_ = Step::idle;
  session_->fail(verdict);
  end(verdict, out);
}

void Talk::take(Answer answer, Instant now, Actions& out) {
  step_ = Step::idle;
  if (answer.sense != Answer::Sense::expired) {
    if (answer.sense == Answer::Sense::good) session_->used(now.steady);
    return heard(std::move(answer), now, out);
  }
  session_->drop(used_);
  if (renewed_) return end(verdict(answer), out);
  renewed_ = true;
  advance(now, out);
}

Verdict Talk::verdict(const Answer& answer) const {
  return verdict(answer.judgement, answer.words, answer.retry_after);
}

Verdict Talk::verdict(Judgement j, std::string_view words, std::optional<Duration> pause) const {
  return {0, j, presentable(words, settings_->login, {&used_, 1}), pause};
}

}  // namespace checkrelay::opsview
