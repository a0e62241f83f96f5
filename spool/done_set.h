// Records of one lane that are finished, or set aside, before their turn in the log has come: a bit
// each, in chunks of 4096 that are made when the first one in them is finished and go when the
// cursor has passed them. So ten million records in any pattern take 1.25 MiB, and what is written
// is a chunk of 512 bytes where something changed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/journal.h"

namespace checkrelay {

// A chunk as it is stored (FORMAT.md); without bits it is not stored any more.
struct DoneChunk {
  std::uint64_t number = 0;  // seq / 4096
  std::string bits{};
};

class DoneSet {
 public:
  static constexpr Seq kChunk = 4096;

  DoneSet() = default;
  explicit DoneSet(const std::vector<DoneChunk>& stored);  // chunks of a wrong size are ignored

  [[nodiscard]] bool empty() const { return chunks_.empty(); }
  [[nodiscard]] bool has(Seq seq) const;
  void set(Seq seq);
  void set(Seq first, Seq last);
  void forget_upto(Seq cursor);  // whole chunks only

  // What is to be stored since mark_saved().
  [[nodiscard]] bool changed() const { return !changed_.empty(); }
  [[nodiscard]] std::vector<DoneChunk> changes() const;
  void mark_saved() { changed_.clear(); }
  void mark_all_changed();

 private:
  using Bits = std::array<std::uint64_t, kChunk / 64>;
  std::map<std::uint64_t, Bits> chunks_;
  std::set<std::uint64_t> changed_;
};

}  // namespace checkrelay
