#include <cstdint>
#include <string>

#include "plugins/dialects/native/body.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  checkrelay::native::Batch batch;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  checkrelay::native::take_body(body, (data[0] & 1) != 0, 256, batch);
  checkrelay::native::Batch datagram;
  checkrelay::native::take_text(std::move(body), 256, datagram);
  if (batch.results.size() > batch.slots.size()) __builtin_trap();
  return 0;
}
