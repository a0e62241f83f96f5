// What a command reads of the agent's answers.
#include "agent/cli/client.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto answer = parse_http_answer(bytes);
  if (!answer) {
    require(!answer.error().what.empty());
    return 0;
  }
  require(answer->status >= 100 && answer->status <= 599 && answer->body.size() < bytes.size());
  return 0;
}
