#include "spool/note_log.h"

#include <algorithm>

namespace checkrelay {

void NoteLog::forget(std::uint64_t& place) {
  if (place == 0) return;
  live_ -= size_in(place);
  --numbers_;
  place = 0;
}

void NoteLog::add(const NoteRow& row, const std::vector<FramedNote>& notes) {
  if (first_ == 0) first_ = row.number;
  last_ = row.number;
  bytes_ += weight_of(row);
  for (const FramedNote& n : notes) {
    if (n.number >= places_.size()) {
      if (n.body.empty()) continue;
      places_.resize(n.number + std::size_t{1});
    }
    std::uint64_t& place = places_[n.number];
    forget(place);
    if (n.body.empty()) continue;
    place = row.number << kSizeBits | (n.bytes + 1) / 2;
    live_ += size_in(place);
    ++numbers_;
  }
}

void NoteLog::erase_upto(std::uint64_t row, std::uint64_t weight) {
  first_ = std::max(first_, row + 1);
  bytes_ -= std::min(bytes_, weight);
}

void NoteLog::begin_with(std::uint64_t row) {
  first_ = row;
  for (std::uint64_t& place : places_)
    if (place >> kSizeBits < row) forget(place);
}

std::size_t NoteLog::give_up(std::uint64_t row) {
  const auto before = numbers_;
  for (std::uint64_t& place : places_)
    if (place >> kSizeBits == row) forget(place);
  return before - numbers_;
}

}  // namespace checkrelay
