// Check results as producers write them, made before the clock runs. Subjects differ within a
// block, so that nothing waits for its own subject; outputs are 200 bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace checkrelay::bench {

enum class Format { ndjson, msgpack };

struct Block {
  std::string bytes{};
  std::vector<std::size_t> starts{};  // of each result in `bytes`, and the end
  [[nodiscard]] std::size_t results() const { return starts.size() - 1; }
};
Block make_block(Format format);
// NDJSON, each of another subject, with short outputs.
Block make_subjects(std::size_t count);

std::string op5_body();  // one of them as OP5's API takes it

}  // namespace checkrelay::bench
