// The tokens of one intake: who has logged in, and until when. Pure; where tokens come from is the
// caller's business.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/policy/access.h"
#include "agent/port/logins.h"

namespace checkrelay {

class TokenTable : public Logins {
 public:
  // What a script leaves behind that logs in for every result; the one unused longest goes first.
  static constexpr std::size_t kMost = 10'000;
  // `make_token` gives unguessable text. `access` is shared with the door: who is taken out of it,
  // or gets another password, is logged out.
  TokenTable(std::shared_ptr<const Access> access, std::function<std::string()> make_token);

  // Of an open door (no users) everybody may log in.
  [[nodiscard]] Result<Secret> open(const Credentials& given, Duration life, Instant now) override;
  void close(const Secret& token) override;
  // The name of the user whose token this is, which begins its life anew. `given.user` may be empty
  // where a protocol has the token alone. unavailable: unknown or expired; refused: another's.
  [[nodiscard]] Result<std::string> use(const Credentials& given, Instant now);

 private:
  struct Session {
    std::string user{};
    Secret password{};
    Duration life{};
    Steady until{};
  };
  [[nodiscard]] bool stands(const Session& session) const;
  void make_room(Steady now);

  std::shared_ptr<const Access> access_;
  std::function<std::string()> make_token_;
  std::map<std::string, Session, std::less<>> sessions_;
};

}  // namespace checkrelay
