// Whose files a spool directory takes. Loop thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/result.h"

namespace checkrelay::spool {

class Owners {
 public:
  // Names or numbers. Two empty lists admit everybody who could write there; else a file's owner
  // must be one of `users` or belong to one of `groups`. Error: a name that this machine does not
  // know.
  [[nodiscard]] static Result<Owners> from(const std::vector<std::string>& users,
                                           const std::vector<std::string>& groups);
  // By the owner's memberships, never the file's group, which a directory may have lent it.
  // Remembered for each user, since name services may block.
  [[nodiscard]] bool admits(std::uint32_t uid);

 private:
  bool all_ = true;
  std::vector<std::uint32_t> users_{};
  std::vector<std::uint32_t> groups_{};
  std::map<std::uint32_t, bool> known_{};
};

}  // namespace checkrelay::spool
