// A record as bytes, and a commit's records as one batch: the layout that FORMAT.md documents.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/journal.h"

namespace checkrelay {

// What a lane needs to know of a record.
struct RecordHeader {
  Seq seq = 0;
  std::uint64_t subject = 0;  // keyed hash
  LaneMask lanes = 0;
  Wall time{};
  Wall received{};
  std::uint32_t size = 0;  // of the body
  std::uint8_t state = 0;
};

// A record read back; the views point into the batch it came from.
struct Framed {
  RecordHeader header{};
  bool id_given = false;
  std::string_view id{};
  std::string_view body{};
  std::string_view frame{};  // the whole frame, for copies; its checksum holds for header.seq alone
};

void append_frame(std::string& out, Seq seq, std::uint64_t subject, const Record& record);

// One row of the log, taken apart. Records that fail their checksum are left out.
class Batch {
 public:
  enum class Origin { disk, memory };  // memory: just made by append_frame()
  Batch(Seq first, Seq last, std::string data, Origin origin = Origin::disk);
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  [[nodiscard]] Seq first() const { return first_; }
  [[nodiscard]] Seq last() const { return last_; }
  [[nodiscard]] const std::vector<Framed>& records() const { return records_; }  // by seq
  [[nodiscard]] const Framed* find(Seq seq) const;
  [[nodiscard]] std::uint64_t damaged() const { return last_ - first_ + 1 - records_.size(); }
  [[nodiscard]] LaneMask lanes() const { return lanes_; }  // of its records
  // The data is not made of as many frames as the numbers say.
  [[nodiscard]] bool torn() const { return torn_; }
  [[nodiscard]] const char* begin() const { return data_.data(); }
  [[nodiscard]] std::size_t bytes() const { return data_.size(); }

 private:
  void read(Origin origin);
  Seq first_, last_;
  std::string data_;
  std::vector<Framed> records_;
  LaneMask lanes_ = 0;
  bool torn_ = true;
};
using BatchPtr = std::shared_ptr<const Batch>;

}  // namespace checkrelay
