#include "agent/flow/http_door.h"

#include <algorithm>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

bool is_health(std::string_view path) { return path == "/healthz" || path == "/readyz"; }

Message unauthorized(const std::string& why) {
  Message m = Message::response(401,
                                R"({"error":)"
                                "\"" +
                                    why + "\"}\n",
                                "application/json");
  m.headers.push_back({"WWW-Authenticate", "Basic realm=\"checkrelay\", charset=\"UTF-8\""});
  return m;
}

}  // namespace

HttpDoor::HttpDoor(InboundContext context, std::shared_ptr<const Access> access,
                   std::vector<const Dialect*> dialects, std::string default_host,
                   std::shared_ptr<TokenTable> logins)
    : context_(std::move(context)),
      access_(std::move(access)),
      dialects_(std::move(dialects)),
      default_host_(std::move(default_host)),
      logins_(std::move(logins)) {}

const User* HttpDoor::identify(const Message& in, const Dialect* owner, Instant now,
                               std::string& why) const {
  auto session = owner && logins_ ? owner->session(in) : std::nullopt;
  if (session) {
    auto name = logins_->use(*session, now);
    if (name) return access_->named(*name);
    why = name.error().what;
    return nullptr;
  }
  if (!in.credentials) {
    why = "no credentials";
    return nullptr;
  }
  const User* user = access_->authenticate(*in.credentials);
  if (!user) why = "wrong user or password";
  return user;
}

void HttpDoor::receive(Message in, Instant now, Actions& out) {
  InboundContext context = context_;
  user_.reset();
  withheld_.clear();
  inner_.reset();
  std::string_view path = path_of(in.target);
  auto owner = std::find_if(dialects_.begin(), dialects_.end(),
                            [&](const Dialect* d) { return d->owns_path(path); });
  const Dialect* dialect = owner == dialects_.end() ? nullptr : *owner;
  context.authenticated = access_->open();
  if (!context.authenticated) {
    const User* user = identify(in, dialect, now, context.auth_error);
    context.authenticated = user != nullptr;
    if (user) user_ = *user;
  }
  if (user_) context.user = user_->name;
  context.logins = logins_.get();
  if (dialect) inner_ = dialect->inbound(context);
  if (inner_) {
    std::size_t first = out.submit.size();
    inner_->start(now, out);
    inner_->receive(std::move(in), now, out);
    return withhold(out, first);
  }
  if (context.authenticated || is_health(path)) {
    out.inquire = Ticket{0};
  } else {
    out.send.push_back(unauthorized(context.auth_error));
  }
}

void HttpDoor::withhold(Actions& out, std::size_t first) {
  if (!user_) return;
  for (std::size_t i = first; i < out.submit.size(); ++i) {
    Submission& s = out.submit[i];
    std::vector<Outcome>& outcomes = withheld_[s.ticket];
    std::vector<CheckResult> allowed;
    for (CheckResult& r : s.results) {
      Outcome& o = outcomes.emplace_back();
      const std::string& host = r.subject.host.empty() ? default_host_ : r.subject.host;
      o.ok = Access::may_speak_for(*user_, host);
      if (o.ok) {
        allowed.push_back(std::move(r));
        continue;
      }
      o.code = Errc::refused;
      o.error = "host: " + quoted(user_->name) + " may not speak for " + quoted(host);
      Refusal& refusal = out.refused.emplace_back();
      refusal.line = outcomes.size();
      refusal.what = o.error;
    }
    s.results = std::move(allowed);
  }
}

void HttpDoor::settle(Ticket ticket, std::span<const Outcome> outcomes, Instant now, Actions& out) {
  if (!inner_) return;
  std::size_t first = out.submit.size();
  auto held = withheld_.extract(ticket);
  if (held.empty()) {
    inner_->settle(ticket, outcomes, now, out);
    return withhold(out, first);
  }
  std::size_t next = 0;
  for (Outcome& o : held.mapped())
    if (o.ok && next < outcomes.size()) o = outcomes[next++];
  inner_->settle(ticket, held.mapped(), now, out);
  withhold(out, first);
}

void HttpDoor::finish(Instant now, Actions& out) {
  if (!inner_) return;
  std::size_t first = out.submit.size();
  inner_->finish(now, out);
  withhold(out, first);
}

void HttpDoor::answer(Ticket, Message response, Instant, Actions& out) {
  out.send.push_back(std::move(response));
}

std::optional<Steady> HttpDoor::deadline() const {
  return inner_ ? inner_->deadline() : std::nullopt;
}

void HttpDoor::expire(Instant now, Actions& out) {
  if (!inner_) return;
  std::size_t first = out.submit.size();
  inner_->expire(now, out);
  withhold(out, first);
}

}  // namespace checkrelay
