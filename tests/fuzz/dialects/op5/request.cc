// A producer's request body; the first byte chooses command and content type.
#include <cstdint>
#include <cstdlib>

#include "plugins/dialects/op5/wire.h"

using namespace checkrelay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool host = data[0] & 1;
  auto result = op5::parse_request(
      host, body, data[0] & 2 ? "application/x-www-form-urlencoded" : "application/json");
  if (!result) return result.error().what.empty() ? (std::abort(), 0) : 0;
  if (!validate(*result) || result->subject.is_host() != host) std::abort();
  return 0;
}
