// The last record of each subject and its state, for Backlog::changes: 16 bytes a slot, like the
// index that it is made of.
#pragma once

#include <optional>

#include "spool/subject_index.h"

namespace checkrelay {

struct LastState {
  Seq seq = 0;  // below 2^54
  std::uint8_t state = 0;
  bool change = false;  // not the state of the record before it, or nothing is known of that one
  bool sent = false;    // in flight or delivered
};

class LastStates {
 public:
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::optional<LastState> get(std::uint64_t subject) const {
    const Seq packed = index_.get(subject);
    if (packed == 0) return std::nullopt;
    return LastState{packed >> kSeq, static_cast<std::uint8_t>(packed >> kState),
                     (packed & kChange) != 0, (packed & kSent) != 0};
  }
  void put(std::uint64_t subject, const LastState& s) {
    index_.exchange(subject, s.seq << kSeq | Seq{s.state} << kState | (s.change ? kChange : 0) |
                                 (s.sent ? kSent : 0));
  }
  void erase(std::uint64_t subject) { index_.erase(subject); }

 private:
  static constexpr unsigned kSeq = 10, kState = 2;
  static constexpr Seq kChange = 1, kSent = 2;
  SubjectIndex index_;
};

}  // namespace checkrelay
