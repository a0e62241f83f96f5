// What `send` and `exec` both need for a result of their own.
#pragma once

#include <cstdint>
#include <string>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

[[nodiscard]] std::uint64_t random_seed();
// Seconds, or a duration.
[[nodiscard]] Result<Duration> read_ttl(const std::string& text);

}  // namespace checkrelay
