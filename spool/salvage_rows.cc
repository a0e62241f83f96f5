#include "spool/salvage_rows.h"

#include <string>

namespace checkrelay {
namespace {

// A letter a column: n(ull, where the row's id stands for it), i(nteger), t(ext), b(lob).
bool is(const StoredRow& row, std::string_view shape) {
  if (row.has_rowid != (shape.front() == 'n') || row.values.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    constexpr std::string_view kLetters = "nitb";
    if (kLetters.find(shape[i]) != static_cast<std::size_t>(row.values[i].type)) return false;
  }
  return true;
}

std::uint64_t number(const StoredRow& row, std::size_t i) {
  return static_cast<std::uint64_t>(row.values[i].number);
}
Wall wall(const StoredRow& row, std::size_t i) { return Wall(Duration(row.values[i].number)); }

}  // namespace

std::optional<FoundLog> log_of(const StoredRow& row) {
  if (!is(row, "niiiib") || row.rowid <= 0) return std::nullopt;
  FoundLog found;
  found.row.first = static_cast<Seq>(row.rowid);
  found.row.at = wall(row, 2);
  found.row.start = number(row, 4);
  found.data = row.values[5].bytes;
  return found;
}

std::optional<AsideRow> aside_of(const StoredRow& row) {
  if (!is(row, "niiitb") || row.rowid <= 0) return std::nullopt;
  AsideRow found;
  found.seq = static_cast<Seq>(row.rowid) / kMaxLanes;
  found.lane = static_cast<LaneId>(static_cast<Seq>(row.rowid) % kMaxLanes);
  found.dead = number(row, 1) != 0;
  found.tries = static_cast<unsigned>(number(row, 2));
  found.first_unknown = wall(row, 3);
  found.answer = row.values[4].bytes;
  found.frame = row.values[5].bytes;
  return found;
}

std::optional<TrailRow> trail_of(const StoredRow& row) {
  if (!is(row, "niiib") || row.rowid <= 0) return std::nullopt;
  TrailRow found{static_cast<std::uint64_t>(row.rowid), number(row, 1), number(row, 2),
                 wall(row, 3), std::string(row.values[4].bytes)};
  if (read_trail(found.data).empty()) return std::nullopt;
  return found;
}

std::optional<NoteRow> notes_of(const StoredRow& row) {
  if (!is(row, "nib") || row.rowid <= 0) return std::nullopt;
  NoteRow found{static_cast<std::uint64_t>(row.rowid), number(row, 1),
                std::string(row.values[2].bytes)};
  const auto read = read_notes(found);
  if (!read.placed && read.notes.empty()) return std::nullopt;
  return found;
}

std::optional<LaneRow> lane_of(const StoredRow& row) {
  constexpr std::size_t kRuns = 11, kPaused = 12, kChecksum = 13;
  if (!is(row, "ntiiiiiiiiibii") || row.rowid < 0 || row.rowid >= int{kMaxLanes})
    return std::nullopt;
  LaneRow found;
  found.lane = static_cast<LaneId>(row.rowid);
  found.name = row.values[1].bytes;
  LaneSaved& s = found.saved;
  std::size_t column = 2;
  for (auto* value : {&s.cursor, &s.folded, &s.latest_upto, &s.pending, &s.delivered, &s.superseded,
                      &s.expired, &s.dead, &s.retries})
    *value = number(row, column++);
  unpack_runs(row.values[kRuns].bytes, s);
  if (row.values[kPaused].number != 0) found.paused = wall(row, kPaused);
  if (number(row, kChecksum) != lane_checksum(found, row.values[kRuns].bytes)) return std::nullopt;
  return found;
}

std::optional<FoundDone> done_of(const StoredRow& row) {
  if (!is(row, "nbi") || row.values[1].bytes.size() != DoneSet::kChunk / 8) return std::nullopt;
  const auto key = static_cast<std::uint64_t>(row.rowid);
  if (key >> kDoneKeyShift >= kMaxLanes) return std::nullopt;
  FoundDone found;
  found.lane = static_cast<LaneId>(key >> kDoneKeyShift);
  found.chunk = {key & ((std::uint64_t{1} << kDoneKeyShift) - 1), std::string(row.values[1].bytes)};
  if (number(row, 2) != done_checksum(found.lane, found.chunk)) return std::nullopt;
  return found;
}

std::optional<FoundId> id_of(const StoredRow& row) {
  if (!is(row, "tii")) return std::nullopt;
  return FoundId{row.values[0].bytes, number(row, 1), wall(row, 2)};
}

std::optional<std::string_view> hash_key_of(const StoredRow& row) {
  if (!is(row, "tb") || row.values[0].bytes != "hash_key" || row.values[1].bytes.size() != 16)
    return std::nullopt;
  return row.values[1].bytes;
}

std::optional<LaneName> lane_name_of(const StoredRow& row) {
  if (!is(row, "tb")) return std::nullopt;
  return read_lane_name(row.values[0].bytes, row.values[1].bytes);
}

}  // namespace checkrelay
