#include "agent/base/text.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view raw = fuzz::text_of(data, size);
  const std::size_t limit = fuzz::pick(raw, 64);
  std::string text(raw);
  const bool valid = is_valid_utf8(text);
  const std::size_t replaced = make_valid_utf8(text);
  require(valid == (replaced == 0) && valid == (text == raw));
  require(is_valid_utf8(text) && make_valid_utf8(text) == 0);
  const std::string_view prefix = utf8_prefix(text, limit);
  require(prefix.size() <= limit && is_valid_utf8(prefix) && text.starts_with(prefix));
  require(prefix.size() == text.size() || prefix.size() + 4 > limit);
  require(utf8_prefix(raw, limit).size() <= limit);
  const std::string shown = quoted(raw, limit);
  require(is_valid_utf8(shown) && shown.size() <= 4 * limit + 32);
  require(shown.find('\n') == shown.npos && shown.find('\0') == shown.npos);
  return 0;
}
