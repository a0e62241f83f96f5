// The store on SQLite: write-ahead log, synced with each commit that somebody waits for
// (synchronous=FULL) and with the next such one otherwise (NORMAL). The tables are in FORMAT.md.
//
// - Exclusive locking: nobody else has business here while the agent runs, and no shared memory
// file is needed.
// - Checkpoints are made by tidy(), after the commit was told: nobody's acknowledgement waits for
// one.
// - auto_vacuum=INCREMENTAL: a site that was cut off for a day gives its disk back in steps of 1
// MiB; the price is
//   a pointer page for some 800 pages. Space that is still needed is reused and never given back.
// - A file `reserve` is given up when the disk is full, so that settlements, which make room, can
// be written.
// - A database that is damaged is salvaged (salvage.h) into another file, which takes its place
// once it is whole; the damaged one is moved aside. Where that fails (the disk is full), nothing of
// it stays, and it is tried again after a pause.
// - After a failed commit nothing is believed: the connection is closed, reopened, and what the log
// holds is
//   brought into the database and synced there before anything new is accepted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spool/log_tail.h"
#include "spool/sqlite_db.h"
#include "spool/store.h"

namespace checkrelay {

struct SqliteStoreOptions {
  std::string directory{};
  std::string file = "journal.db";  // in it
  std::string vfs{};                // "" = the default one
  int checkpoint_pages = 1000;      // of the write-ahead log, 4 KiB each
  // For the pauses between attempts to salvage, and whether there is room for one; tests have
  // their own.
  std::function<Steady()> clock{};
  std::function<std::uint64_t()> free_bytes{};  // of the file system
};

class SqliteStore : public Store {
 public:
  // `reports` gets what was lost or moved aside. The state directory must be locked by the caller.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(SqliteStoreOptions options,
                                                                 std::vector<std::string>* reports);
  // Only to be looked at: nothing is changed, made or locked, and nobody needs the lock. What
  // changes it must not be called. Errors: unavailable, unsupported, corrupt.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> read(SqliteStoreOptions options);
  // SQLite's own examination of its structure; empty = in order. Reads everything.
  [[nodiscard]] std::vector<std::string> quick_check();
  [[nodiscard]] const std::string& reading_error() const { return db_.what(); }  // where failed()
  ~SqliteStore() override;

  // For salvage.h: a store in a file of its own, begun anew; the highest number up to
  // `most` that an id has; everything brought into the database and synced.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> make(SqliteStoreOptions options);
  [[nodiscard]] Seq highest_id(Seq most);
  [[nodiscard]] Result<void> settle_down();
  // Of a row found twice the better one stays; which count finds out who opens them. Returns bytes.
  std::size_t keep_notes(const NoteRow& row);

  void begin(Sync sync) override;
  Result<void> commit() override;
  [[nodiscard]] bool failed() const override { return db_.error() != SQLITE_OK; }
  [[nodiscard]] unsigned reopened() const override { return reopened_; }
  [[nodiscard]] unsigned renewed() const override { return renewed_; }
  std::vector<std::string> take_reports() override { return std::exchange(reports_, {}); }
  void append(const LogRow& row, std::string_view data) override;
  void erase_log(Seq first) override;
  std::optional<Seq> remember(const std::string& id, Seq seq, Wall received,
                              Duration window) override;
  std::optional<Seq> find_id(const std::string& id) override;
  void sweep_ids(std::size_t examine, Wall before) override;
  void save_lane(const LaneRow& row) override;
  void save_aside(const AsideRow& row) override;
  void erase_aside(LaneId lane, Seq seq) override;
  void set_hash_key(std::string_view key) override;
  void save_trail(const TrailRow& row) override;
  void erase_trail(std::uint64_t number) override;
  void append_notes(const NoteRow& row) override;
  void erase_notes(std::uint64_t upto) override;
  BatchPtr log_after(Seq seq, LaneMask lanes) override;
  std::optional<LogRow> oldest_log() override;
  std::optional<LogRow> log_row_of(Seq seq) override;
  std::uint64_t appended() override;
  std::vector<LaneRow> lanes() override;
  std::optional<AsideRow> aside(LaneId lane, Seq seq) override;
  std::vector<AsideRow> asides(const AsideQuery& query) override;
  std::vector<TrailRow> trail_of(Seq low, Seq high) override;
  std::optional<TrailRow> oldest_trail() override;
  std::uint64_t newest_trail() override;
  std::uint64_t newest_notes() override;
  std::optional<NoteRow> notes_after(std::uint64_t number) override;
  void scan_notes(const std::function<void(const NoteRow&)>& each) override;
  std::string hash_key() override;
  Room room() override;
  [[nodiscard]] bool short_of_room() const override { return short_of_room_; }
  bool tidy(bool idle) override;

 private:
  explicit SqliteStore(SqliteStoreOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::string path() const { return options_.directory + "/" + options_.file; }
  [[nodiscard]] std::string salvaged_path() const { return path() + ".salvaged"; }
  [[nodiscard]] std::string reserve_path() const { return options_.directory + "/reserve"; }
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] Result<void> connect_reading();
  [[nodiscard]] Result<void> connect_or_renew();
  [[nodiscard]] Result<void> set_up();
  [[nodiscard]] Result<void> look_around();
  [[nodiscard]] Result<LogTail> look_before();
  [[nodiscard]] Result<void> connect_over(const LogTail& tail);
  [[nodiscard]] bool knows_lanes_of(const LogTail& tail) const;
  [[nodiscard]] Result<std::string> copy_log();
  [[nodiscard]] Result<void> take_tail(const LogTail& tail);
  [[nodiscard]] Result<void> renew(const std::string& damage);
  [[nodiscard]] Result<void> may_salvage();
  [[nodiscard]] Result<std::string> salvage_all();
  void remove_salvaged();
  [[nodiscard]] Result<void> move_aside();
  [[nodiscard]] Result<void> put_in_place();
  void reopen();
  void keep_reserve();
  void save_name(const LaneRow& row);
  void compare_names(const std::vector<LaneRow>& rows);
  void save_done(LaneId lane, const DoneChunk& chunk);
  [[nodiscard]] std::vector<DoneChunk> done_of(LaneId lane);

  SqliteStoreOptions options_;
  Database db_;
  bool in_transaction_ = false, broken_ = false, suspect_ = false, reserve_ = false;
  bool short_of_room_ = false, reading_ = false;
  unsigned reopened_ = 0, renewed_ = 0;
  std::uint64_t salvage_bytes_ = 0;  // that a salvage takes at most; 0 = not known
  Duration salvage_pause_{};
  Steady next_salvage_{};
  Error salvage_error_{};
  std::string sweep_at_;
  std::map<LaneId, std::string> names_;  // in `meta`, as this connection wrote them
  std::vector<std::string> reports_;
};

}  // namespace checkrelay
