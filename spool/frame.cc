#include "spool/frame.h"

#include <algorithm>

#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {
namespace {

constexpr std::uint8_t kIdGiven = 1;  // bit of the flags

std::int64_t micros(Wall t) { return t.time_since_epoch().count(); }

// The number is not stored but checked: a frame that moved to another place does not pass.
std::uint32_t checksum(Seq seq, std::string_view payload) {
  ShortBytes<8> number;
  put_fixed(number, seq, 8);
  return crc32c(payload, crc32c(number.view()));
}

bool read_payload(std::string_view payload, Framed& out) {
  ByteReader in(payload);
  RecordHeader& h = out.header;
  out.id_given = (in.fixed(1) & kIdGiven) != 0;
  h.state = static_cast<std::uint8_t>(in.fixed(1));
  h.lanes = in.varint();
  h.subject = in.fixed(8);
  const std::int64_t time = in.signed_varint();
  std::int64_t received = 0;
  if (__builtin_add_overflow(time, in.signed_varint(), &received)) return false;
  h.time = Wall(Duration(time));
  h.received = Wall(Duration(received));
  out.id = in.bytes(in.fixed(1));
  out.body = in.left();
  h.size = static_cast<std::uint32_t>(out.body.size());
  return in.ok();
}

}  // namespace

void append_frame(std::string& out, Seq seq, std::uint64_t subject, const Record& r) {
  ShortBytes<64> head;
  head.push_back(static_cast<char>(r.id_given ? kIdGiven : 0));
  head.push_back(static_cast<char>(r.state));
  put_varint(head, r.lanes);
  put_fixed(head, subject, 8);
  put_signed(head, micros(r.time));
  put_signed(head, micros(r.received) - micros(r.time));
  head.push_back(static_cast<char>(r.id.size()));
  ShortBytes<16> front;
  put_varint(front, head.view().size() + r.id.size() + r.body.size());
  put_fixed(front, crc32c(r.body, crc32c(r.id, checksum(seq, head.view()))), 4);
  out.append(front.view()).append(head.view()).append(r.id).append(r.body);
}

Batch::Batch(Seq first, Seq last, std::string data, Origin origin)
    : first_(first), last_(last), data_(std::move(data)) {
  read(origin);
}

void Batch::read(Origin origin) {
  ByteReader in(data_);
  if (origin == Origin::memory) records_.reserve(last_ - first_ + 1);
  for (Seq seq = first_; seq <= last_; ++seq) {
    const char* begin = in.left().data();
    const auto size = in.varint();
    const auto sum = in.fixed(4);
    const auto payload = in.bytes(size);
    if (!in.ok()) return;  // no frame boundary is left
    Framed record;
    record.header.seq = seq;
    record.frame = {begin, static_cast<std::size_t>(in.left().data() - begin)};
    const bool intact = origin == Origin::memory || checksum(seq, payload) == sum;
    if (!intact || !read_payload(payload, record)) continue;
    lanes_ |= record.header.lanes;
    records_.push_back(record);
  }
  torn_ = !in.left().empty();
}

const Framed* Batch::find(Seq seq) const {
  if (seq < first_ || seq > last_) return nullptr;
  if (damaged() == 0) return &records_[seq - first_];
  auto it = std::lower_bound(records_.begin(), records_.end(), seq,
                             [](const Framed& f, Seq s) { return f.header.seq < s; });
  return it != records_.end() && it->header.seq == seq ? &*it : nullptr;
}

}  // namespace checkrelay
