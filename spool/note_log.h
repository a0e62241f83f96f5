// Which of the rows of notes holds the newest body of each number, and when the old end of them is
// to be cleaned: what is still the newest there is appended again, and the rows go. Rows are
// numbered in order and go from the old end alone, so what forgets a number need not be appended
// again: nothing is left that it could be needed against. Pure; 8 bytes a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "spool/note_row.h"

namespace checkrelay {

struct NoteLimits {
  std::size_t row_bytes = 32U << 10;  // but for a single larger note
  std::uint64_t slack = 1U << 20;     // bytes of what is old that nobody minds
};

class NoteLog {
 public:
  explicit NoteLog(NoteLimits limits = {}) : limits_(limits) {}

  // Appended, or met while all rows are read in order.
  void add(const NoteRow& row, const std::vector<FramedNote>& notes);
  // The rows up to `row` are gone, which took `weight`.
  void erase_upto(std::uint64_t row, std::uint64_t weight);
  // What was in rows before this one had been cleaned away, although rows of then are still there.
  void begin_with(std::uint64_t row);
  // What a damaged row should hold and does not: forgotten. Returns how many.
  std::size_t give_up(std::uint64_t row);

  [[nodiscard]] bool is_newest(std::uint32_t number, std::uint64_t row) const {
    return number < places_.size() && places_[number] >> kSizeBits == row;
  }
  [[nodiscard]] std::uint64_t first() const { return first_; }  // 0 = there are none
  [[nodiscard]] std::uint64_t last() const { return last_; }    // likewise
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // weights of all rows
  [[nodiscard]] std::uint64_t live() const { return live_; }    // of what is newest
  [[nodiscard]] std::size_t numbers() const { return numbers_; }
  [[nodiscard]] const NoteLimits& limits() const { return limits_; }
  // To be cleaned, once `less` are gone. At three bytes cleaned for one appended, the log never
  // holds more than 2 1/3 times what is live, and the slack.
  [[nodiscard]] bool excess(std::uint64_t less = 0) const {
    return first_ < last_ && bytes_ > 2 * live_ + limits_.slack + less;
  }
  [[nodiscard]] static std::uint64_t weight_of(const NoteRow& row) {
    return row.data.size() + kRowWeight;
  }

 private:
  static constexpr int kSizeBits = 16;             // of two bytes each
  static constexpr std::uint64_t kRowWeight = 16;  // about what the database takes beside the data
  [[nodiscard]] static std::uint64_t size_in(std::uint64_t place) {
    return (place & ((1U << kSizeBits) - 1)) * 2;
  }
  void forget(std::uint64_t& place);

  NoteLimits limits_;
  std::deque<std::uint64_t> places_;  // by number: row and size of the newest; 0 = none
  std::uint64_t first_ = 0, last_ = 0, bytes_ = 0, live_ = 0;
  std::size_t numbers_ = 0;
};

}  // namespace checkrelay
