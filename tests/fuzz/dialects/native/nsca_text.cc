#include <cstdint>
#include <string_view>

#include "agent/base/text.h"
#include "plugins/dialects/native/text_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t mended = 0;
  auto result = checkrelay::native::decode_nsca(
      std::string_view(reinterpret_cast<const char*>(data), size), mended);
  if (result && !checkrelay::is_valid_utf8(result->output)) __builtin_trap();
  if (!result && result.error().what.empty()) __builtin_trap();
  return 0;
}
