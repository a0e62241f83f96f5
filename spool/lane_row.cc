#include "spool/lane_row.h"

#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {

std::string pack_runs(const LaneSaved& s) {
  std::string out;
  Seq before = s.cursor;
  for (const Run& run : s.passed) {
    put_varint(out, run.first - before);
    put_varint(out, run.last - run.first);
    before = run.last;
  }
  return out;
}

void unpack_runs(std::string_view bytes, LaneSaved& s) {
  ByteReader in(bytes);
  Seq before = s.cursor;
  while (!in.left().empty()) {
    Run run;
    run.first = before + in.varint();
    run.last = run.first + in.varint();
    if (!in.ok()) return;
    before = run.last;
    s.passed.push_back(run);
  }
}

std::uint32_t lane_checksum(const LaneRow& row, std::string_view runs) {
  const LaneSaved& s = row.saved;
  const auto paused = row.paused ? row.paused->time_since_epoch().count() : 0;
  std::string bytes;
  for (const std::uint64_t v :
       {std::uint64_t{row.lane}, s.cursor, s.folded, s.latest_upto, s.pending, s.delivered,
        s.superseded, s.expired, s.dead, s.retries, static_cast<std::uint64_t>(paused)})
    put_fixed(bytes, v, 8);
  return crc32c(runs, crc32c(row.name, crc32c(bytes)));
}

}  // namespace checkrelay
