#include "spool/directory_owners.h"

#include <algorithm>

#include "agent/base/account.h"
#include "agent/base/text.h"

namespace checkrelay::spool {
namespace {

constexpr std::size_t kMaxKnown = 4096;

}  // namespace

Result<Owners> Owners::from(const std::vector<std::string>& users,
                            const std::vector<std::string>& groups) {
  Owners owners;
  owners.all_ = users.empty() && groups.empty();
  for (const std::string& name : users) {
    auto id = user_id(name);
    if (!id) return fail(Errc::invalid, "allow_users: no user " + quoted(name));
    owners.users_.push_back(*id);
  }
  for (const std::string& name : groups) {
    auto id = group_id(name);
    if (!id) return fail(Errc::invalid, "allow_groups: no group " + quoted(name));
    owners.groups_.push_back(*id);
  }
  return owners;
}

bool Owners::admits(std::uint32_t uid) {
  if (all_ || std::find(users_.begin(), users_.end(), uid) != users_.end()) return true;
  if (groups_.empty()) return false;
  if (auto it = known_.find(uid); it != known_.end()) return it->second;
  if (known_.size() >= kMaxKnown) known_.clear();
  bool member = std::any_of(groups_.begin(), groups_.end(),
                            [uid](std::uint32_t gid) { return user_in_group(uid, gid); });
  known_[uid] = member;
  return member;
}

}  // namespace checkrelay::spool
