// A server's answer to a batch of three, the first byte chooses its content type: whatever it says,
// a row acknowledges one item at most, and by its name.
#include <cstdint>
#include <cstdlib>
#include <set>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/command.h"
#include "plugins/dialects/groundwork/wire.h"

using namespace checkrelay;

namespace {

// And to an operator's command: what is told is JSON.
void read_as_commands(const std::string& body) {
  using Verb = groundwork::Command::Verb;
  for (Verb verb : {Verb::list, Verb::get, Verb::remove, Verb::complete}) {
    const groundwork::Command command{verb, {"a"}, ""};
    auto json = groundwork::read_answer(command, body, "application/json");
    if (!json) continue;
    const bool list = verb != Verb::get;
    if (!json->starts_with(list ? '[' : '{') || !is_valid_utf8(*json)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  read_as_commands(body);
  auto rows = groundwork::read_results(body, data[0] & 1 ? "application/xml" : "application/json");
  if (!rows) return 0;
  const std::vector<std::string> entities{"a", "b:c", "B"};
  auto pairs = groundwork::pair_rows(entities, *rows);
  if (pairs.size() != entities.size()) std::abort();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i]) continue;
    if (*pairs[i] >= rows->size()) std::abort();
    const groundwork::Row& row = (*rows)[*pairs[i]];
    const bool named = equals_ignoring_case(trimmed(row.entity), entities[i]);
    if (groundwork::judge_row(row) == Judgement::delivered && !named) std::abort();
  }
  return 0;
}
