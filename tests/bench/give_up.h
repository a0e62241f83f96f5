// A benchmark that cannot measure has nobody to return to: it says why and ends. What it started
// and wrote is cleaned up by the supervisor in main.cc, so these may end the process anywhere, from
// any thread.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace checkrelay::bench {

[[noreturn]] void give_up(const std::string& why);

// The result of a system call, or the end with `what` and errno's words.
int checked(int result, const char* what);

template <typename... Args>
[[noreturn]] void give_up(fmt::format_string<Args...> text, Args&&... args) {
  give_up(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace checkrelay::bench
