#include "plugins/dialects/opmantek/talk.h"

#include "plugins/dialects/answer.h"

namespace checkrelay::opmantek {

void Talk::start(Instant, Actions& out) { session_->open ? proceed(out) : log_in(out); }

std::string Talk::shown(std::string_view words) const {
  return presentable(words, settings_->login, session_->jar.secrets());
}

void Talk::log_in(Actions& out) {
  session_->open = false;
  session_->jar.clear();
  logging_in_ = true;
  out.send.push_back(login_request(*settings_));
}

void Talk::ask(Message request, Actions& out) {
  session_->jar.put(request);
  out.send.push_back(std::move(request));
}

void Talk::receive(Message in, Instant now, Actions& out) {
  if (over_) return;
  const Sense what = sense(in, *settings_, session_->jar.secrets());
  if (logging_in_) return take_login(in, what, now, out);
  if (!wants_login(in, what)) {
    if (in.kind == Message::Kind::response) session_->jar.take(in);
    heard(in, what, now, out);
    if (is_odd(in, out)) session_->open = false;
    return;
  }
  if (!fresh_) return log_in(out);
  session_->open = false;
  end(Judgement::auth, "logged in, and yet: " + what.words, out);
}

// How a session that has ended shows is not documented: where a server that works makes no sense,
// the next conversation logs in.
bool Talk::is_odd(const Message& answer, const Actions& out) {
  if (answer.kind != Message::Kind::response || answer.status >= 500 || out.verdicts.empty())
    return false;
  const Judgement j = out.verdicts.back().judgement;
  return j == Judgement::transient || j == Judgement::config;
}

// How a failed login looks is not documented: what is asked next will tell.
void Talk::take_login(const Message& answer, const Sense& what, Instant now, Actions& out) {
  logging_in_ = false;
  if (answer.kind != Message::Kind::response || answer.status >= 400)
    return end(answer, {what.kind, "login: " + what.words}, now, out);
  session_->jar.take(answer);
  if (session_->jar.empty())
    return end(Judgement::auth, "login: no session was given: " + what.words, out);
  session_->open = true;
  fresh_ = true;
  proceed(out);
}

bool Talk::wants_login(const Message& answer, const Sense& what) {
  if (answer.kind != Message::Kind::response) return false;
  if (answer.status == 401 || answer.status == 403) return true;
  return what.kind == Sense::Kind::page && answer.status < 400;
}

void Talk::finish(Instant now, Actions& out) {
  receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
}

void Talk::end(Judgement judgement, std::string words, Actions& out) {
  over_ = true;
  Verdict& v = out.verdicts.emplace_back();
  v.judgement = judgement;
  v.answer = std::move(words);
  out.close = true;
}

void Talk::end(const Message& answer, const Sense& what, Instant now, Actions& out) {
  end(judgement(answer, what), what.words, out);
  if (answer.kind == Message::Kind::response)
    out.verdicts.back().retry_after = retry_after(answer, now.wall);
}

}  // namespace checkrelay::opmantek
