// `checkrelay upstream NAME reload start --wait`: the upstream reloads by itself, and is asked how
// it gets on until that is over.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/base/time.h"
#include "agent/cli/upstream.h"

namespace checkrelay {

// Takes --wait out of the words of a `reload start`; whether it was there.
[[nodiscard]] bool take_wait(std::vector<std::string>& words);

struct ReloadWait {
  // How the reload is; an answer with an empty `end` is none that is worth waiting after.
  std::function<UpstreamAnswer()> ask{};
  std::function<void()> pause{};  // between two questions
  std::function<Duration()> elapsed{};
  std::function<void(const std::string& line)> say{};
};
// Until the reload is over. What is then known: done with the last status; refused where it failed;
// unreachable where the upstream kept silent for kSilence; else as `ask` said.
constexpr auto kSilence = std::chrono::minutes(1);
[[nodiscard]] UpstreamAnswer await_reload(const ReloadWait& wait);

}  // namespace checkrelay
