// Who may come in by a unix socket: the users and groups of its configuration, by the credentials
// that the kernel vouches for.
#pragma once

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

[[nodiscard]] Result<uid_t> find_user(const std::string& name);   // a name or a number
[[nodiscard]] Result<gid_t> find_group(const std::string& name);  // a name or a number

class PeerFilter {
 public:
  // Both empty: everybody who can connect. Names that the system does not know are an error.
  [[nodiscard]] static Result<PeerFilter> make(const std::vector<std::string>& users,
                                               const std::vector<std::string>& groups);
  // `groups` are those that the peer's process had when it connected. A user who joined a group
  // later counts too, as the system's user database says it; that answer is kept for a minute.
  [[nodiscard]] bool admits(uid_t uid, const std::vector<gid_t>& groups, Steady now);

 private:
  struct Known {
    bool admitted = false;
    Steady until{};
  };
  [[nodiscard]] bool database_admits(uid_t uid) const;

  std::set<uid_t> users_;
  std::set<gid_t> groups_;
  std::map<uid_t, Known> known_;
};

}  // namespace checkrelay
