// What the agent's JSON answers look like to people. Pure; text that is not what the agent sends is
// an error.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace checkrelay {

struct StatusView {
  std::string text{};
  bool well = false;  // no destination in trouble, no dead results, a journal that takes results
};
[[nodiscard]] Result<StatusView> status_view(std::string_view json);

struct QueueView {
  std::string text{};
  std::size_t rows = 0;
  std::string next{};  // where there is more: what to go on after
};
[[nodiscard]] Result<QueueView> queue_list_view(std::string_view json);
[[nodiscard]] Result<std::string> queue_story_view(std::string_view json);
// What became of pausing or resuming the destination `name`.
[[nodiscard]] Result<std::string> pause_view(std::string_view json, const std::string& name);
// Results that are still under way at paused destinations, or at the one of that name.
[[nodiscard]] Result<long long> landing_in(std::string_view status, const std::string& name);
// The number behind `key`.
[[nodiscard]] Result<long long> number_in(std::string_view json, std::string_view key);
// The text behind "error", or a cut of the answer.
[[nodiscard]] std::string error_in(std::string_view json);

}  // namespace checkrelay
