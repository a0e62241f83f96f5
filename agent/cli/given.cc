#include "agent/cli/given.h"

#include <sys/random.h>
#include <unistd.h>

#include "agent/base/text.h"
#include "agent/cli/client.h"

namespace checkrelay {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) == sizeof seed) return seed;
  return static_cast<std::uint64_t>(wall_now().time_since_epoch().count()) ^
         static_cast<std::uint64_t>(::getpid()) << 40U;
}

Result<Duration> read_ttl(const std::string& text) {
  auto seconds = parse_number(text);
  if (!seconds) return parse_duration(text);
  constexpr double kLongest = 100.0 * 365 * 86400;
  if (*seconds < 0 || *seconds > kLongest) return fail(Errc::invalid, quoted(text));
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
}

}  // namespace checkrelay
