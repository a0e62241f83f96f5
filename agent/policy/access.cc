#include "agent/policy/access.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {

const User* Access::authenticate(const Credentials& given) const {
  const User* found = nullptr;
  for (const User& user : users_) {
    bool password = same_secret(given.secret.reveal(), user.password.reveal());
    bool name = given.user.empty() || same_secret(given.user, user.name);
    if (password && name) found = &user;
  }
  return found;
}

const User* Access::named(std::string_view name) const {
  auto it =
      std::find_if(users_.begin(), users_.end(), [&](const User& u) { return u.name == name; });
  return it == users_.end() ? nullptr : &*it;
}

bool Access::may_speak_for(const User& user, std::string_view host) {
  return std::any_of(user.hosts.begin(), user.hosts.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, host); });
}

}  // namespace checkrelay
