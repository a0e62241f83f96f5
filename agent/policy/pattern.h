// A pattern that somebody else wrote: an exact text, or "regex:…" or "iregex:…" (without case),
// found anywhere in the text (NMIS element outages). RE2: linear in the text, bounded in memory;
// what Perl has beyond that (look-around, back references) is refused at compile(). A value; copies
// share.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace re2 {
class RE2;
}

namespace checkrelay {

constexpr std::size_t kMaxPattern = 1024;  // bytes

class Pattern {
 public:
  Pattern() = default;  // matches the empty text alone
  [[nodiscard]] static Result<Pattern> compile(std::string_view text);
  // The expression alone, as "regex:" would have it.
  [[nodiscard]] static Result<Pattern> expression(std::string_view text, bool ignore_case);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  std::string exact_{};
  std::shared_ptr<const re2::RE2> expression_{};
};

}  // namespace checkrelay
