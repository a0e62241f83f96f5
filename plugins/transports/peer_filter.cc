#include "plugins/transports/peer_filter.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <limits>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr auto kKeep = std::chrono::minutes(1);
constexpr std::size_t kMaxKnown = 1000;  // users whose answer is kept

}  // namespace

Result<uid_t> find_user(const std::string& name) {
  if (const auto id = parse_integer(name, 0, std::numeric_limits<uid_t>::max()))
    return static_cast<uid_t>(*id);
  const passwd* entry = getpwnam(name.c_str());
  if (!entry) return fail(Errc::invalid, "there is no user " + quoted(name));
  return entry->pw_uid;
}

Result<gid_t> find_group(const std::string& name) {
  if (const auto id = parse_integer(name, 0, std::numeric_limits<gid_t>::max()))
    return static_cast<gid_t>(*id);
  const group* entry = getgrnam(name.c_str());
  if (!entry) return fail(Errc::invalid, "there is no group " + quoted(name));
  return entry->gr_gid;
}

Result<PeerFilter> PeerFilter::make(const std::vector<std::string>& users,
                                    const std::vector<std::string>& groups) {
  PeerFilter filter;
  for (const std::string& name : users) {
    const auto uid = find_user(name);
    if (!uid) return fail(uid.error().code, "allow_users: " + uid.error().what);
    filter.users_.insert(*uid);
  }
  for (const std::string& name : groups) {
    const auto gid = find_group(name);
    if (!gid) return fail(gid.error().code, "allow_groups: " + gid.error().what);
    filter.groups_.insert(*gid);
  }
  return filter;
}

bool PeerFilter::admits(uid_t uid, const std::vector<gid_t>& groups, Steady now) {
  if (users_.empty() && groups_.empty()) return true;
  if (users_.contains(uid)) return true;
  if (groups_.empty()) return false;
  if (std::any_of(groups.begin(), groups.end(), [&](gid_t g) { return groups_.contains(g); }))
    return true;
  if (const auto it = known_.find(uid); it != known_.end() && now < it->second.until)
    return it->second.admitted;
  if (known_.size() >= kMaxKnown) known_.clear();
  return (known_[uid] = {database_admits(uid), now + kKeep}).admitted;
}

bool PeerFilter::database_admits(uid_t uid) const {
  const passwd* entry = getpwuid(uid);
  if (!entry) return false;
  std::vector<gid_t> groups(256);
  int count = static_cast<int>(groups.size());
  const std::string name = entry->pw_name;
  const gid_t primary = entry->pw_gid;
  while (getgrouplist(name.c_str(), primary, groups.data(), &count) < 0)
    groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(count));
  return std::any_of(groups.begin(), groups.end(), [&](gid_t g) { return groups_.contains(g); });
}

}  // namespace checkrelay
