// The boundary must be the same however the bytes arrive, and what lies within it must decode or be
// refused.
#include "plugins/dialects/native/msgpack_map.h"

#include <cstdint>
#include <string_view>

using checkrelay::native::MsgpackBoundary;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MsgpackBoundary whole(4096);
  MsgpackBoundary slow(4096);
  auto found = whole.scan(bytes);
  auto slowly = MsgpackBoundary::Found::more;
  for (std::size_t n = 0; n <= size && slowly == MsgpackBoundary::Found::more; ++n)
    slowly = slow.scan(bytes.substr(0, n));
  if (found != slowly) __builtin_trap();
  if (found != MsgpackBoundary::Found::whole) return 0;
  if (whole.size() != slow.size() || whole.size() > size) __builtin_trap();
  std::size_t mended = 0;
  auto result = checkrelay::native::decode_msgpack(bytes.substr(0, whole.size()), mended);
  if (!result && result.error().what.empty()) __builtin_trap();
  return 0;
}
