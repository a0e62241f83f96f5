// The first byte says in what pieces the rest reaches the parser. Whatever the pieces, the requests
// must be the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "plugins/transports/http_parser.h"
#include "plugins/transports/http_text.h"

namespace {

using namespace checkrelay;

struct Seen {
  std::vector<Message> requests{};
  int fault = 0;
};

Seen parse(std::string_view wire, std::size_t piece) {
  HttpParser parser({.url = 256, .head = 1024, .headers = 16, .body = 1024});
  Seen seen;
  for (; !wire.empty(); wire.remove_prefix(std::min(piece, wire.size()))) {
    std::string_view bytes = wire.substr(0, piece);
    while (!bytes.empty() && !parser.fault()) {
      bytes.remove_prefix(parser.feed(bytes));
      if (!parser.complete()) continue;
      const bool more = parser.keep_alive();
      seen.requests.push_back(parser.take());
      if (!more) return seen;
    }
  }
  seen.fault = parser.fault() ? parser.fault()->status : 0;
  return seen;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen whole = parse(wire, wire.size() + 1);
  const Seen split = parse(wire, 1U + data[0] % 16U);
  require(whole.requests.size() == split.requests.size() && whole.fault == split.fault);
  for (std::size_t i = 0; i < whole.requests.size(); ++i) {
    require(whole.requests[i].target == split.requests[i].target);
    require(whole.requests[i].body == split.requests[i].body);
    require(whole.requests[i].headers.size() == split.requests[i].headers.size());
  }
  (void)parse_authorization(wire);
  return 0;
}
