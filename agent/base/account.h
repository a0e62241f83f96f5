// Users and groups of this machine. May block on name services: call for what a person asked, not
// for each result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace checkrelay {

// A name or a number.
[[nodiscard]] std::optional<std::uint32_t> user_id(const std::string& name);
[[nodiscard]] std::optional<std::uint32_t> group_id(const std::string& name);
// Primary or supplementary.
[[nodiscard]] bool user_in_group(std::uint32_t uid, std::uint32_t gid);
[[nodiscard]] bool user_in_group(std::uint32_t uid, const std::string& group);

// Everything that a process needs to become somebody.
struct Account {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups{};  // supplementary, the primary one included
  std::string name{};
  std::string home = "/";
  bool operator==(const Account&) const = default;
};
// By name or number; none where there is no such user.
[[nodiscard]] std::optional<Account> find_account(const std::string& user);
[[nodiscard]] Account own_account();  // whom this process acts as

}  // namespace checkrelay
