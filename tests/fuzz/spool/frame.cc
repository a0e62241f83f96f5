// One record as bytes: a frame whose checksum fits may hold anything, and what is written is read.
// The first bytes choose; the rest is a payload once and a body once.
#include "spool/frame.h"

#include "spool/bytes.h"
#include "spool/crc32c.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

namespace {

std::string sealed(Seq seq, std::string_view payload) {
  std::string number;
  put_fixed(number, seq, 8);
  std::string out;
  put_varint(out, payload.size());
  put_fixed(out, crc32c(payload, crc32c(number)), 4);
  return out += payload;
}

void check(const Batch& batch, std::size_t bytes) {
  for (const Framed& record : batch.records()) {
    require(record.header.seq >= batch.first() && record.header.seq <= batch.last());
    require(batch.find(record.header.seq) == &record);
    require(record.id.size() + record.body.size() < bytes && record.frame.size() <= bytes);
  }
  require(batch.records().size() + batch.damaged() == batch.last() - batch.first() + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const Seq count = 1 + fuzz::pick(input, 8);
  check(Batch(5, 5 + count, std::string(input)), input.size());
  const std::string frame = sealed(5, input);
  check(Batch(5, 5 + count, frame + std::string(input)), frame.size() + input.size());
  Record record;
  record.id = std::string(fuzz::take_text(input).substr(0, 64));
  record.state = static_cast<std::uint8_t>(count);
  record.time = Wall(std::chrono::seconds(1'700'000'000 + count));
  record.body = std::string(input);
  std::string bytes;
  append_frame(bytes, 9, 77, record);
  const Batch batch(9, 9, bytes);
  require(batch.records().size() == 1);
  const Framed& read = batch.records()[0];
  require(read.id == record.id && read.body == record.body && read.frame == bytes);
  require(read.header.time == record.time && read.header.received == record.received);
  return 0;
}
