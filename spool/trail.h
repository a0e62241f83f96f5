// The trail: what became of records, told compactly in rows of a few KiB. Pure; layout in
// FORMAT.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spool/lane.h"

namespace checkrelay {

struct TrailEntry {
  Seq seq = 0;
  LaneId lane = 0;
  Fate fate = Fate::delivered;
  Wall at{};  // to the millisecond
  std::string answer{};
};

// A row of the trail; `low` and `high` bound the seqs that it speaks of.
struct TrailRow {
  std::uint64_t number = 0;
  Seq low = 0, high = 0;
  Wall at{};  // of its last entry
  std::string data{};
};

// Fills one row after the other.
class TrailWriter {
 public:
  static constexpr std::size_t kRow = 4000;  // bytes; a page of the database
  static constexpr std::size_t kAnswer = 500;

  explicit TrailWriter(std::uint64_t number = 1) { row_.number = number; }
  // True where the row is full and next() is due before more is added.
  [[nodiscard]] bool full() const { return row_.data.size() >= kRow; }
  void add(const TrailEntry& e);
  [[nodiscard]] bool changed() const { return changed_; }
  [[nodiscard]] TrailRow sealed() const;  // the row as it is to be stored, with its checksum
  void mark_saved() { changed_ = false; }
  [[nodiscard]] std::uint64_t number() const { return row_.number; }
  void next();

 private:
  TrailRow row_;
  TrailEntry last_;
  bool changed_ = false;
};

// Entries up to the first one that cannot be read; none where the checksum fails.
[[nodiscard]] std::vector<TrailEntry> read_trail(std::string_view data);

}  // namespace checkrelay
