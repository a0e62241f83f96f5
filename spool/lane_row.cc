#include "spool/lane_row.h"

#include <fmt/format.h>

#include <charconv>

#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {
namespace {

constexpr std::string_view kNameKey = "lane ";

std::uint64_t micros(const std::optional<Wall>& at) {
  return at ? static_cast<std::uint64_t>(at->time_since_epoch().count()) : 0;
}

std::uint32_t keyed_checksum(std::uint64_t key, std::string_view rest) {
  std::string bytes;
  put_fixed(bytes, key, 8);
  return crc32c(rest, crc32c(bytes));
}

}  // namespace

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
  std::string bytes;
  for (const std::uint64_t v :
       {std::uint64_t{row.lane}, s.cursor, s.folded, s.latest_upto, s.pending, s.delivered,
        s.superseded, s.expired, s.dead, s.retries, micros(row.paused)})
    put_fixed(bytes, v, 8);
  return crc32c(runs, crc32c(row.name, crc32c(bytes)));
}

std::uint32_t done_checksum(LaneId lane, const DoneChunk& chunk) {
  return keyed_checksum(key_of_done(lane, chunk.number), chunk.bits);
}

std::string lane_name_key(LaneId lane) { return fmt::format("{}{}", kNameKey, lane); }

bool is_lane_name(std::string_view key) { return key.starts_with(kNameKey); }

std::string pack_lane_name(const LaneRow& row) {
  std::string rest;
  put_fixed(rest, micros(row.paused), 8);
  rest += row.name;
  std::string value;
  put_fixed(value, keyed_checksum(row.lane, rest), 4);
  return value + rest;
}

std::optional<LaneName> read_lane_name(std::string_view key, std::string_view value) {
  if (!is_lane_name(key)) return std::nullopt;
  const auto digits = key.substr(kNameKey.size());
  LaneName found;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), found.lane);
  if (code != std::errc() || end != digits.data() + digits.size() || found.lane >= kMaxLanes)
    return std::nullopt;
  ByteReader in(value);
  const auto checksum = in.fixed(4);
  const auto rest = in.left();
  const auto paused = in.fixed(8);
  if (!in.ok() || checksum != keyed_checksum(found.lane, rest)) return std::nullopt;
  found.name = in.left();
  if (paused != 0) found.paused = Wall(Duration(static_cast<std::int64_t>(paused)));
  return found;
}

}  // namespace checkrelay
