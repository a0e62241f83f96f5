// Who may hand in results for whom, at one door. Pure; the passwords come from the configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/secret.h"
#include "agent/port/message.h"

namespace checkrelay {

struct User {
  std::string name{};
  Secret password{};                 // basic: with the name; bearer: alone
  std::vector<std::string> hosts{};  // glob patterns; which hosts this user may speak for
};

class Access {
 public:
  explicit Access(std::vector<User> users = {}) : users_(std::move(users)) {}
  [[nodiscard]] bool open() const { return users_.empty(); }  // nobody has to say who they are
  // The user whom the credentials prove, or nullptr. Looks at every user, so that time tells
  // nothing about names.
  [[nodiscard]] const User* authenticate(const Credentials& given) const;
  [[nodiscard]] const User* named(std::string_view name) const;  // or nullptr
  [[nodiscard]] static bool may_speak_for(const User& user, std::string_view host);

 private:
  std::vector<User> users_;
};

}  // namespace checkrelay
