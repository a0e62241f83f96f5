// Which record is the newest unsent one of each subject: a flat table of 16 bytes a slot, because a
// lane may hold a million subjects. Keys are keyed hashes, so nobody outside can make them collide.
// Linear probing; erasing shifts back, so there are no tombstones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/port/journal.h"

namespace checkrelay {

class SubjectIndex {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  // 0 where there is none.
  [[nodiscard]] Seq get(std::uint64_t subject) const {
    return slots_.empty() ? 0 : slots_[find(subject)].seq;
  }
  // Returns what stood there before, or 0. REQUIRES: seq is not 0.
  Seq exchange(std::uint64_t subject, Seq seq) {
    if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? 16 : slots_.size() * 2);
    Slot& slot = slots_[find(subject)];
    const Seq before = slot.seq;
    if (before == 0) ++size_;
    slot = {subject, seq};
    return before;
  }
  // Only where `seq` is what stands there.
  void erase(std::uint64_t subject, Seq seq) {
    if (slots_.empty()) return;
    const std::size_t at = find(subject);
    if (slots_[at].seq == seq && seq != 0) remove(at);
  }
  void erase(std::uint64_t subject) { erase(subject, get(subject)); }

 private:
  struct Slot {
    std::uint64_t subject = 0;
    Seq seq = 0;  // 0 = free
  };
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  [[nodiscard]] std::size_t find(std::uint64_t subject) const {
    std::size_t at = subject & mask();
    while (slots_[at].seq != 0 && slots_[at].subject != subject) at = (at + 1) & mask();
    return at;
  }
  void remove(std::size_t hole) {
    for (std::size_t at = (hole + 1) & mask(); slots_[at].seq != 0; at = (at + 1) & mask()) {
      const std::size_t home = slots_[at].subject & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = {};
    --size_;
    if (slots_.size() > 64 && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
  }
  void resize(std::size_t n) {
    std::vector<Slot> old(n);
    old.swap(slots_);
    for (const Slot& s : old)
      if (s.seq != 0) slots_[find(s.subject)] = s;
  }
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace checkrelay
