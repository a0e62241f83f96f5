// Users and groups of this machine. May block on name services: call for what a person asked, not
// for each result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace checkrelay {

// A name or a number.
[[nodiscard]] std::optional<std::uint32_t> user_id(const std::string& name);
[[nodiscard]] std::optional<std::uint32_t> group_id(const std::string& name);
// Primary or supplementary.
[[nodiscard]] bool user_in_group(std::uint32_t uid, std::uint32_t gid);
[[nodiscard]] bool user_in_group(std::uint32_t uid, const std::string& group);

}  // namespace checkrelay
