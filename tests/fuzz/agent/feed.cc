// Standard input of `send`: the pieces that bytes arrive in make no difference, and no item is
// longer than it may be.
#include "agent/cli/feed.h"

#include <vector>

#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

namespace {

constexpr std::size_t kLimit = 48;

std::vector<Item> items_of(std::string_view input, std::size_t piece) {
  Feed feed(kLimit);
  std::vector<Item> items;
  const auto take = [&] {
    while (auto item = feed.next()) items.push_back(std::move(*item));
  };
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    feed.add(input.substr(0, piece));
    take();
  }
  feed.finish();
  take();
  return items;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t piece = 1 + fuzz::pick(input, 32);
  const auto whole = items_of(input, input.size() + 1);
  const auto split = items_of(input, piece);
  require(whole.size() == split.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    require(whole[i].number == split[i].number && whole[i].bytes == split[i].bytes);
    require(whole[i].error == split[i].error && whole[i].bytes.size() <= kLimit + 1);
    require(whole[i].error.empty() != whole[i].bytes.empty());
  }
  return 0;
}
