#include "agent/base/account.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

std::optional<std::uint32_t> number(const std::string& text) {
  auto n = parse_integer(text, 0, UINT32_MAX - 1LL);
  if (!n) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

std::vector<gid_t> groups_of(const passwd& p) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (getgrouplist(p.pw_name, p.pw_gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    getgrouplist(p.pw_name, p.pw_gid, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

Account account_of(const passwd& p) {
  Account a;
  a.uid = p.pw_uid;
  a.gid = p.pw_gid;
  a.name = p.pw_name;
  if (p.pw_dir && *p.pw_dir != '\0') a.home = p.pw_dir;
  a.groups = groups_of(p);
  return a;
}

}  // namespace

std::optional<std::uint32_t> user_id(const std::string& name) {
  if (const passwd* p = getpwnam(name.c_str())) return p->pw_uid;
  return number(name);
}

std::optional<std::uint32_t> group_id(const std::string& name) {
  if (const group* g = getgrnam(name.c_str())) return g->gr_gid;
  return number(name);
}

bool user_in_group(std::uint32_t uid, std::uint32_t gid) {
  const passwd* p = getpwuid(uid);
  if (!p) return false;
  const std::vector<gid_t> groups = groups_of(*p);
  return std::find(groups.begin(), groups.end(), gid) != groups.end();
}

bool user_in_group(std::uint32_t uid, const std::string& group) {
  auto gid = group_id(group);
  return gid && user_in_group(uid, *gid);
}

std::optional<Account> find_account(const std::string& user) {
  const passwd* p = getpwnam(user.c_str());
  if (!p) {
    const auto uid = number(user);
    p = uid ? getpwuid(*uid) : nullptr;
  }
  if (!p) return std::nullopt;
  return account_of(*p);
}

Account own_account() {
  const uid_t uid = geteuid();
  if (const passwd* p = getpwuid(uid)) return account_of(*p);
  Account a;
  a.uid = uid;
  a.gid = getegid();
  a.name = std::to_string(uid);
  return a;
}

}  // namespace checkrelay
