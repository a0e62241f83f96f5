// The packed form: any bytes are a result or a fault, and a result packs to what reads the same.
#include "agent/model/packed.h"

#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = unpack(fuzz::text_of(data, size));
  if (!result) {
    require(result.error().code == Errc::corrupt || result.error().code == Errc::unsupported);
    require(!result.error().what.empty());
    return 0;
  }
  const auto again = unpack(pack(*result));
  require(again && *again == *result);
  return 0;
}
