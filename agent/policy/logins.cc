#include "agent/policy/logins.h"

#include <algorithm>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay {

TokenTable::TokenTable(std::shared_ptr<const Access> access,
                       std::function<std::string()> make_token)
    : access_(std::move(access)), make_token_(std::move(make_token)) {}

Result<Secret> TokenTable::open(const Credentials& given, Duration life, Instant now) {
  Session session{given.user, given.secret, life, now.steady + life};
  if (!access_->open()) {
    const User* user = access_->authenticate(given);
    if (user == nullptr) return fail(Errc::refused, "wrong user or password");
    session.user = user->name;
  }
  make_room(now.steady);
  std::string token = make_token_();
  sessions_.insert_or_assign(token, std::move(session));
  return Secret(std::move(token));
}

void TokenTable::close(const Secret& token) { sessions_.erase(token.reveal()); }

Result<std::string> TokenTable::use(const Credentials& given, Instant now) {
  auto it = sessions_.find(given.secret.reveal());
  if (it == sessions_.end()) return fail(Errc::unavailable, "no such token, or it has expired");
  Session& session = it->second;
  if (now.steady > session.until || !stands(session)) {
    sessions_.erase(it);
    return fail(Errc::unavailable, "no such token, or it has expired");
  }
  if (!given.user.empty() && given.user != session.user) {
    return fail(Errc::refused, "the token is not that of " + quoted(given.user));
  }
  session.until = now.steady + session.life;
  return session.user;
}

bool TokenTable::stands(const Session& session) const {
  if (access_->open()) return true;
  const User* user = access_->named(session.user);
  return user != nullptr && user->password == session.password;
}

void TokenTable::make_room(Steady now) {
  if (sessions_.size() < kMost) return;
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.until < now; });
  if (sessions_.size() < kMost) return;
  sessions_.erase(std::min_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
}

}  // namespace checkrelay
