#include "spool/trail.h"

#include <algorithm>

#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {
namespace {

using std::chrono::milliseconds;

std::int64_t millis(Wall t) {
  return std::chrono::floor<milliseconds>(t).time_since_epoch().count();
}

std::int64_t distance(Seq a, Seq b) { return static_cast<std::int64_t>(a - b); }

// 0 = none, 1 = the same text as the last one, else its length and 2.
void put_answer(std::string& out, std::string_view answer, std::string& last) {
  if (answer.empty()) return put_varint(out, 0);
  if (answer == last) return put_varint(out, 1);
  put_varint(out, answer.size() + 2);
  out += answer;
  last = answer;
}

std::string read_answer(ByteReader& in, std::string& last) {
  const auto n = in.varint();
  if (n == 0) return {};
  if (n > 1) last = std::string(in.bytes(n - 2));
  return last;
}

// Moves `at` (milliseconds) on; false where the time is none that was ever written.
bool move_clock(std::int64_t& at, std::int64_t by, Wall& out) {
  std::int64_t micros = 0;
  if (__builtin_add_overflow(at, by, &at) || __builtin_mul_overflow(at, 1000, &micros))
    return false;
  out = Wall(Duration(micros));
  return true;
}

}  // namespace

void TrailWriter::add(const TrailEntry& e) {
  std::string& out = row_.data;
  if (out.empty()) row_.low = e.seq;
  row_.low = std::min(row_.low, e.seq);
  row_.high = std::max(row_.high, e.seq);
  row_.at = e.at;
  put_signed(out, distance(e.seq, last_.seq));
  put_fixed(out, static_cast<std::uint8_t>(e.fate), 1);
  put_fixed(out, e.lane, 1);
  put_signed(out, millis(e.at) - millis(last_.at));
  put_answer(out, std::string_view(e.answer).substr(0, kAnswer), last_.answer);
  last_.seq = e.seq;
  last_.at = e.at;
  changed_ = true;
}

TrailRow TrailWriter::sealed() const {
  TrailRow row{row_.number, row_.low, row_.high, row_.at, {}};
  put_fixed(row.data, crc32c(row_.data), 4);
  row.data += row_.data;
  return row;
}

void TrailWriter::next() {
  const auto number = row_.number + 1;
  *this = TrailWriter(number);
}

std::vector<TrailEntry> read_trail(std::string_view data) {
  std::vector<TrailEntry> entries;
  ByteReader in(data);
  const auto sum = in.fixed(4);
  if (sum != crc32c(in.left())) return entries;
  TrailEntry e;
  std::string answer;
  std::int64_t at = 0;
  while (!in.left().empty()) {
    e.seq += static_cast<Seq>(in.signed_varint());
    e.fate = static_cast<Fate>(in.fixed(1));
    e.lane = static_cast<LaneId>(in.fixed(1));
    if (!move_clock(at, in.signed_varint(), e.at)) break;
    e.answer = read_answer(in, answer);
    if (!in.ok()) break;
    entries.push_back(e);
  }
  return entries;
}

}  // namespace checkrelay
