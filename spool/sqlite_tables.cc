// The rows of the SQLite store.
#include <fmt/format.h>

#include <algorithm>

#include "agent/base/text.h"
#include "spool/lane_row.h"
#include "spool/sqlite_store.h"

namespace checkrelay {
namespace {

std::int64_t micros(Wall t) { return t.time_since_epoch().count(); }
Wall wall(std::int64_t us) { return Wall(Duration(us)); }

std::int64_t aside_key(LaneId lane, Seq seq) {
  return static_cast<std::int64_t>(seq * kMaxLanes + lane);
}

// Signed, as SQLite has them.
std::int64_t done_key(LaneId lane, std::uint64_t number) {
  return static_cast<std::int64_t>(key_of_done(lane, number));
}

AsideRow aside_row(Query& q) {
  AsideRow row;
  const auto key = q.get_number();
  row.seq = key / kMaxLanes;
  row.lane = static_cast<LaneId>(key % kMaxLanes);
  row.dead = q.get_integer() != 0;
  row.tries = static_cast<unsigned>(q.get_integer());
  row.first_unknown = wall(q.get_integer());
  row.answer = q.get_bytes();
  row.frame = q.get_bytes();
  return row;
}

LogRow log_row(Query& q) {
  LogRow row;
  row.first = q.get_number();
  row.last = q.get_number();
  row.at = wall(q.get_integer());
  row.lanes = q.get_number();
  row.start = q.get_number();
  return row;
}

}  // namespace

void SqliteStore::append(const LogRow& row, std::string_view data) {
  Query q(db_, "INSERT INTO log(first, last, at, lanes, start, data) VALUES(?, ?, ?, ?, ?, ?)");
  q.number(row.first).number(row.last).integer(micros(row.at)).number(row.lanes);
  q.number(row.start).blob(data).run();
}

void SqliteStore::erase_log(Seq first) {
  Query(db_, "DELETE FROM log WHERE first = ?").number(first).run();
}

std::optional<Seq> SqliteStore::remember(const std::string& id, Seq seq, Wall received,
                                         Duration window) {
  Query insert(db_, "INSERT INTO id(id, seq, at) VALUES(?, ?, ?) ON CONFLICT DO NOTHING");
  insert.text(id).number(seq).integer(micros(received)).run();
  if (failed() || sqlite3_changes(db_.handle()) > 0) return std::nullopt;
  Query find(db_, "SELECT seq, at FROM id WHERE id = ?");
  if (!find.text(id).row()) return std::nullopt;
  const Seq first = find.get_number();
  if (received - wall(find.get_integer()) < window) return first;
  Query update(db_, "UPDATE id SET seq = ?, at = ? WHERE id = ?");
  update.number(seq).integer(micros(received)).text(id).run();
  return std::nullopt;
}

std::optional<Seq> SqliteStore::find_id(const std::string& id) {
  Query q(db_, "SELECT seq FROM id WHERE id = ?");
  return q.text(id).row() ? std::optional(q.get_number()) : std::nullopt;
}

void SqliteStore::sweep_ids(std::size_t examine, Wall before) {
  std::vector<std::string> old;
  std::string from = std::exchange(sweep_at_, {});
  std::size_t seen = 0;
  Query q(db_, "SELECT id, at FROM id WHERE id > ? ORDER BY id LIMIT ?");
  for (q.text(from).number(examine); q.row(); ++seen) {
    sweep_at_ = q.get_bytes();
    if (wall(q.get_integer()) < before) old.push_back(sweep_at_);
  }
  if (seen < examine) sweep_at_.clear();
  for (const auto& id : old) Query(db_, "DELETE FROM id WHERE id = ?").text(id).run();
}

void SqliteStore::save_lane(const LaneRow& row) {
  const LaneSaved& s = row.saved;
  const std::string passed = pack_runs(s);
  Query q(db_,
          "INSERT OR REPLACE INTO lane(id, name, cursor, folded, latest_upto, pending, delivered, "
          "superseded, expired, dead, retries, passed, paused, checksum) "
          "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  q.number(row.lane).text(row.name).number(s.cursor).number(s.folded).number(s.latest_upto);
  q.number(s.pending).number(s.delivered).number(s.superseded).number(s.expired);
  q.number(s.dead).number(s.retries).blob(passed);
  q.integer(micros(row.paused.value_or(Wall{}))).number(lane_checksum(row, passed)).run();
  for (const DoneChunk& chunk : s.done) save_done(row.lane, chunk);
  save_name(row);
}

void SqliteStore::save_name(const LaneRow& row) {
  auto value = pack_lane_name(row);
  auto& stored = names_[row.lane];
  if (stored == value) return;
  stored = std::move(value);
  const auto key = lane_name_key(row.lane);
  Query q(db_, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)");
  q.text(key).blob(stored).run();
}

// Where the two do not say the same, one of them is damaged, or was never written.
void SqliteStore::compare_names(const std::vector<LaneRow>& rows) {
  Query q(db_, "SELECT key, value FROM meta WHERE key >= 'lane ' AND key < 'lane!'");
  while (q.row()) {
    const auto key = q.get_bytes();
    const auto told = read_lane_name(key, q.get_bytes());
    const bool same = told && std::any_of(rows.begin(), rows.end(), [&](const LaneRow& row) {
                        return row.lane == told->lane && row.name == told->name;
                      });
    if (!same) return db_.note_damage(fmt::format("the row of {} is damaged or lost", quoted(key)));
  }
}

void SqliteStore::save_done(LaneId lane, const DoneChunk& chunk) {
  const auto key = done_key(lane, chunk.number);
  if (chunk.bits.empty()) {
    Query(db_, "DELETE FROM done WHERE key = ?").integer(key).run();
  } else {
    Query q(db_, "INSERT OR REPLACE INTO done(key, bits, checksum) VALUES(?, ?, ?)");
    q.integer(key).blob(chunk.bits).number(done_checksum(lane, chunk)).run();
  }
}

std::vector<DoneChunk> SqliteStore::done_of(LaneId lane) {
  std::vector<DoneChunk> chunks;
  Query q(db_, "SELECT key, bits, checksum FROM done WHERE key >= ? AND key < ? ORDER BY key");
  for (q.integer(done_key(lane, 0)).integer(done_key(lane + 1, 0)); q.row();) {
    DoneChunk& chunk = chunks.emplace_back();
    chunk.number = q.get_number() - static_cast<std::uint64_t>(done_key(lane, 0));
    chunk.bits = q.get_bytes();
    if (q.get_number() == done_checksum(lane, chunk)) continue;
    db_.note_damage(fmt::format("what lane {} is done with is damaged", lane));
    return {};
  }
  return chunks;
}

std::vector<LaneRow> SqliteStore::lanes() {
  std::vector<LaneRow> rows;
  Query q(db_,
          "SELECT id, name, cursor, folded, latest_upto, pending, delivered, superseded, expired, "
          "dead, retries, passed, paused, checksum FROM lane ORDER BY id");
  while (q.row()) {
    LaneRow row;
    row.lane = static_cast<LaneId>(q.get_integer());
    row.name = q.get_bytes();
    LaneSaved& s = row.saved;
    for (auto* value : {&s.cursor, &s.folded, &s.latest_upto, &s.pending, &s.delivered,
                        &s.superseded, &s.expired, &s.dead, &s.retries})
      *value = q.get_number();
    const auto runs = q.get_bytes();
    unpack_runs(runs, s);
    if (const auto since = q.get_integer(); since != 0) row.paused = wall(since);
    s.done = done_of(row.lane);
    if (q.get_number() != lane_checksum(row, runs)) {
      db_.note_damage(fmt::format("the row of destination {} is damaged", quoted(row.name)));
      return {};
    }
    rows.push_back(std::move(row));
  }
  compare_names(rows);
  if (failed()) rows.clear();
  return rows;
}

void SqliteStore::save_aside(const AsideRow& row) {
  Query q(db_,
          "INSERT OR REPLACE INTO aside(key, dead, tries, first_unknown, answer, frame) "
          "VALUES(?, ?, ?, ?, ?, ?)");
  q.integer(aside_key(row.lane, row.seq)).integer(row.dead ? 1 : 0).number(row.tries);
  q.integer(micros(row.first_unknown)).text(row.answer).blob(row.frame).run();
}

void SqliteStore::erase_aside(LaneId lane, Seq seq) {
  Query(db_, "DELETE FROM aside WHERE key = ?").integer(aside_key(lane, seq)).run();
}

std::optional<AsideRow> SqliteStore::aside(LaneId lane, Seq seq) {
  Query q(db_, "SELECT key, dead, tries, first_unknown, answer, frame FROM aside WHERE key = ?");
  return q.integer(aside_key(lane, seq)).row() ? std::optional(aside_row(q)) : std::nullopt;
}

std::vector<AsideRow> SqliteStore::asides(const AsideQuery& query) {
  std::vector<AsideRow> rows;
  Query q(db_,
          "SELECT key, dead, tries, first_unknown, answer, frame FROM aside "
          "WHERE dead = ? AND key > ? AND (?3 < 0 OR key % 64 = ?3) ORDER BY key LIMIT ?4");
  static_assert(kMaxLanes == 64);
  q.integer(query.dead ? 1 : 0).integer(aside_key(kMaxLanes - 1, query.after));
  q.integer(query.lane ? static_cast<std::int64_t>(*query.lane) : -1).number(query.limit);
  while (q.row()) rows.push_back(aside_row(q));
  return rows;
}

void SqliteStore::save_trail(const TrailRow& row) {
  Query q(db_, "INSERT OR REPLACE INTO trail(number, low, high, at, data) VALUES(?, ?, ?, ?, ?)");
  q.number(row.number)
      .number(row.low)
      .number(row.high)
      .integer(micros(row.at))
      .blob(row.data)
      .run();
}

void SqliteStore::erase_trail(std::uint64_t number) {
  Query(db_, "DELETE FROM trail WHERE number = ?").number(number).run();
}

BatchPtr SqliteStore::log_after(Seq seq, LaneMask lanes) {
  Query q(
      db_,
      "SELECT first, last, lanes, data FROM log WHERE first >= coalesce((SELECT max(first) FROM "
      "log "
      "WHERE first <= ?1), 0) AND last >= ?1 AND (lanes & ?2 OR ?2 = -1) ORDER BY first LIMIT 1");
  if (!q.number(seq + 1).number(lanes).row()) return nullptr;
  const Seq first = q.get_number();
  const Seq last = q.get_number();
  const LaneMask told = q.get_number();
  auto batch = std::make_shared<Batch>(first, last, q.get_bytes());
  if (!batch->torn() && (batch->lanes() & ~told) == 0) return batch;
  db_.note_damage(fmt::format("the row of records {}-{} is damaged", first, last));
  return nullptr;
}

std::optional<LogRow> SqliteStore::oldest_log() {
  Query q(db_, "SELECT first, last, at, lanes, start FROM log ORDER BY first LIMIT 1");
  return q.row() ? std::optional(log_row(q)) : std::nullopt;
}

std::optional<LogRow> SqliteStore::log_row_of(Seq seq) {
  Query q(
      db_,
      "SELECT first, last, at, lanes, start FROM log WHERE first <= ? ORDER BY first DESC LIMIT 1");
  return q.number(seq).row() ? std::optional(log_row(q)) : std::nullopt;
}

std::uint64_t SqliteStore::appended() {
  Query q(db_, "SELECT start + length(data) FROM log ORDER BY first DESC LIMIT 1");
  return q.row() ? q.get_number() : 0;
}

std::vector<TrailRow> SqliteStore::trail_of(Seq low, Seq high) {
  std::vector<TrailRow> rows;
  Query q(db_,
          "SELECT number, low, high, at, data FROM trail WHERE high >= ? AND low <= ? "
          "ORDER BY number");
  for (q.number(low).number(high); q.row();) {
    TrailRow row{q.get_number(), 0, 0, {}, {}};
    row.low = q.get_number();
    row.high = q.get_number();
    row.at = wall(q.get_integer());
    row.data = q.get_bytes();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<TrailRow> SqliteStore::oldest_trail() {
  Query q(db_, "SELECT number, low, high, at FROM trail ORDER BY number LIMIT 1");
  if (!q.row()) return std::nullopt;
  TrailRow row{q.get_number(), 0, 0, {}, {}};
  row.low = q.get_number();
  row.high = q.get_number();
  row.at = wall(q.get_integer());
  return row;
}

std::uint64_t SqliteStore::newest_trail() {
  Query q(db_, "SELECT number FROM trail ORDER BY number DESC LIMIT 1");
  return q.row() ? q.get_number() : 0;
}

Seq SqliteStore::highest_id(Seq most) {
  Query q(db_, "SELECT max(seq) FROM id WHERE seq <= ?");
  return q.number(most).row() ? q.get_number() : 0;
}

void SqliteStore::set_hash_key(std::string_view key) {
  Query(db_, "UPDATE meta SET value = ? WHERE key = 'hash_key'").blob(key).run();
}

std::string SqliteStore::hash_key() {
  Query q(db_, "SELECT value FROM meta WHERE key = 'hash_key'");
  return q.row() ? q.get_bytes() : std::string();
}

}  // namespace checkrelay
