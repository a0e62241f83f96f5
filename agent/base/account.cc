#include "agent/base/account.h"

#include <grp.h>
#include <pwd.h>

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
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (getgrouplist(p->pw_name, p->pw_gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    getgrouplist(p->pw_name, p->pw_gid, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  return std::find(groups.begin(), groups.end(), gid) != groups.end();
}

bool user_in_group(std::uint32_t uid, const std::string& group) {
  auto gid = group_id(group);
  return gid && user_in_group(uid, *gid);
}

}  // namespace checkrelay
