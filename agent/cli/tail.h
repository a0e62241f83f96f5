// The end of what a command printed, in bounded memory, and made fit to be read in a result. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace checkrelay {

class Tail {
 public:
  explicit Tail(std::size_t limit) : limit_(limit) {}  // bytes, of text()
  void add(std::string_view bytes);
  void clear();
  // The last lines, as harmless() has them; "..." stands for what came before.
  [[nodiscard]] std::string text() const;

 private:
  std::size_t limit_;
  std::string kept_;  // at most twice of what is looked at
  bool cut_ = false;
};

// Text as a terminal would show it at last (what a carriage return goes back over is gone, escape
// sequences too), in UTF-8; other control characters become '?', and '|', which would begin
// performance data, U+00A6.
[[nodiscard]] std::string harmless(std::string_view raw);

}  // namespace checkrelay
