// The journal's logic over a Store: stages records, feeds the lanes, serves claims, keeps the
// story. One thread, no clock: the journal passes time in. A turn is: changes (stage, settle,
// retry, drop), then commit(), then reads.
//
// Why a log of packed batches and not a row a record and destination: intake then costs the same
// for one destination and for sixteen, with ten million records waiting and with none, and packing
// saves SQLite's price for a row. A lane is a cursor in that log, plus the few records that cannot
// go with it (copied out, so that the log's old end can be dropped). Storing records touches the
// log alone; a lane's row is written when a settlement changed it, and its accounts are brought up
// to date from the log's tail after a start (Lane::feed).
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spool/clock_jumps.h"
#include "spool/note_book.h"
#include "spool/store.h"

namespace checkrelay {

struct DeskOptions {
  std::uint64_t max_bytes = 4ULL << 30;  // on disk; past it stage() answers full
  Duration history_age = std::chrono::hours(24);
  std::uint64_t history_bytes = 64ULL
                                << 20;   // of finished records; the trail may have a quarter of it
  std::size_t batch_bytes = 128 * 1024;  // one row of the log, but for a single larger record
  LaneLimits lane{};
  NoteLimits notes{};
};

class Desk {
 public:
  Desk(Store& store, DeskOptions options)
      : store_(store), options_(options), notes_(store, options.notes) {}
  // Reads what is on disk. REQUIRES: called once, first. Where it fails the desk must not be used:
  // it does not know what there is. Errors: unavailable.
  [[nodiscard]] Result<void> restore();

  [[nodiscard]] Result<std::vector<LaneId>> lanes(
      const std::vector<std::pair<std::string, LaneOptions>>& destinations);

  void clock(Instant now) {
    now_ = now;
    jumps_.tick(now, next_seq_);
  }
  [[nodiscard]] Result<std::vector<Stored>> stage(std::vector<Record>& records,
                                                  std::vector<Note> notes = {});
  void notes(const std::function<void(std::uint32_t number, std::string_view body)>& each) {
    notes_.each(each);
  }
  void settle(LaneId lane, const std::vector<Settlement>& settlements);
  void free_held(LaneId lane);
  // REQUIRES: seqs is not empty.
  std::size_t retry(std::optional<LaneId> lane, std::vector<Seq> seqs);
  // Every dead record, a bounded number a call. Those for which a lane has no room stay dead.
  struct RetryJob {
    std::optional<LaneId> lane{};  // or all of them
    Seq after = 0, upto = 0;       // upto: of the first call; what is stored later is not looked at
    std::size_t count = 0;
    bool all = true;  // there was room for
  };
  [[nodiscard]] bool retry_some(RetryJob& job);  // true when it is through
  std::size_t drop(std::optional<LaneId> lane, std::vector<Seq> seqs, const std::string& why = {});
  bool pause(LaneId lane, bool paused);  // false where it is so already
  [[nodiscard]] std::size_t staged_bytes() const { return staged_bytes_ + notes_.staged_bytes(); }
  // Without `probe` a disk in trouble is not asked for settlements alone: they are kept. Without
  // `settlements` they wait, where records are staged, so that a producer waits for its own alone.
  [[nodiscard]] Result<void> commit(bool probe = true, bool settlements = true);
  [[nodiscard]] bool settlements_wait() const;
  [[nodiscard]] std::uint64_t failed_commits() const { return failed_commits_; }
  void save_all();  // before the end: the next start then has nothing to catch up with

  [[nodiscard]] std::vector<Claim> claim(LaneId lane, std::size_t records, std::size_t bytes);
  // A bounded step of housekeeping. True where more is to be done. A disk in trouble is left alone
  // without `probe`.
  [[nodiscard]] bool upkeep(bool idle, bool probe = true);
  [[nodiscard]] JournalStats stats() const;
  [[nodiscard]] std::vector<std::string> take_reports() { return std::exchange(reports_, {}); }

  // One bounded step; `from` moves on. True when the page is complete.
  struct BrowseJob {
    BrowseQuery query{};
    Seq from = 0;      // done up to here
    Seq skip_log = 0;  // the log is not asked before
    bool begun = false;
    bool guided = false;     // the id tells where to look first
    std::size_t looked = 0;  // about so many records, for this page
    BrowsePage page{};
  };
  [[nodiscard]] bool browse(BrowseJob& job);

 private:
  struct Slot {
    std::string name{};
    bool active = false;
    LaneOptions options{};
    Lane lane{};
    Seq saved_folded = 0;
    std::optional<Wall> paused{};  // since when
    bool pause_changed = false;    // and is not yet stored
  };
  struct OpenBatch {
    LogRow row{};
    std::string data{};
  };
  using AsideKey = std::pair<LaneId, Seq>;

  // desk.cc
  [[nodiscard]] bool has_room(std::size_t bytes);
  // As far back as ages go, by a clock that may have jumped.
  [[nodiscard]] Wall ago(Duration age) const { return now_.wall - age - jumps_.ahead_at_most(); }
  [[nodiscard]] Stored add(const Record& record);
  void close_batch();
  enum class Scope { staged, settled, every_lane };  // each with what is before it
  [[nodiscard]] bool something_staged() const {
    return !staged_.empty() || staged_ids_ > 0 || notes_.something_staged();
  }
  [[nodiscard]] bool lagging() const;
  [[nodiscard]] Result<void> write();
  [[nodiscard]] Result<void> write_turn(Scope scope);
  [[nodiscard]] static bool to_save(const Slot& slot, bool every_lane);
  void start_over();
  void write_staged();
  void write_settled(bool every_lane);
  void write_trail();
  void failed_commit(const Error& error);
  void committed(Scope scope);
  void settled(bool every_lane);
  void read_everything();
  void take_store_reports();
  void take_note_reports();
  void read_notes();
  void feed(const Batch& batch);
  void feed_log();
  void restore_lane(const LaneRow& row);
  // desk_lanes.cc
  [[nodiscard]] bool retired(LaneId id) const;
  [[nodiscard]] std::optional<LaneId> spare_slot(LaneMask taken) const;
  [[nodiscard]] std::optional<LaneId> only_orphan() const;
  [[nodiscard]] std::optional<std::map<std::string, LaneId>> assign(
      const std::vector<std::pair<std::string, LaneOptions>>& destinations) const;
  void adopt(Slot& slot, const std::string& name);
  void activate(LaneId id, const std::string& name, const LaneOptions& options);
  // desk_claims.cc
  void take_output(LaneId lane, LaneOutput& out);
  void keep_aside(LaneId lane, const AsideChange& change);
  void trail(LaneId lane, const LaneEvent& e);
  [[nodiscard]] std::optional<AsideRow> aside(LaneId lane, Seq seq);
  [[nodiscard]] std::optional<std::string> frame_of(LaneId lane, Seq seq);
  [[nodiscard]] BatchPtr batch_after(Seq seq, LaneMask lanes);
  void remember_batch(BatchPtr batch);
  [[nodiscard]] bool load_more(LaneId lane);
  [[nodiscard]] std::optional<Claim> claim_of(LaneId lane, const Taken& taken);
  void give_up_dead(const AsideRow& row);
  [[nodiscard]] std::uint64_t count_dead(LaneId lane);
  void write_off_dead(LaneId lane);
  [[nodiscard]] bool revive(const AsideRow& row);
  void step_reindex(LaneId lane);
  void step_survey(LaneId lane);
  template <typename F>
  void each_lane(std::optional<LaneId> lane, F f);
  // desk_upkeep.cc
  [[nodiscard]] Seq floor() const;  // everything up to it is finished everywhere
  [[nodiscard]] std::uint64_t history_room();
  [[nodiscard]] bool prune_log(std::size_t& bytes);
  [[nodiscard]] bool prune_trail();
  void prune();
  // desk_browse.cc
  struct BrowseStep;
  void begin_browse(BrowseJob& job);
  [[nodiscard]] Seq place_by_time(Wall made);
  [[nodiscard]] bool browse_some(BrowseJob& job);
  void gather(const BrowseJob& job, BrowseStep& step);
  void gather_asides(const BrowseJob& job, bool dead, BrowseStep& step);
  void show(BrowseJob& job, BrowseStep& step);
  void emit(BrowseJob& job, const Framed& record, LaneId lane, const AsideRow* aside,
            const std::vector<TrailEntry>& trail);
  [[nodiscard]] bool wanted(const BrowseJob& job, const Framed& record) const;
  [[nodiscard]] std::vector<TrailEntry> entries_of(Seq low, Seq high);

  Store& store_;
  DeskOptions options_;
  NoteBook notes_;
  Instant now_{};
  ClockJumps jumps_;
  std::string hash_key_;
  std::array<std::unique_ptr<Slot>, kMaxLanes> slots_{};
  Seq next_seq_ = 1;
  Seq fed_ = 0;  // every record up to here was fed to the lanes
  std::uint64_t appended_ = 0;

  std::vector<OpenBatch> staged_;  // the last one is still open
  std::size_t staged_bytes_ = 0, staged_ids_ = 0;
  std::size_t load_bytes_ = 0;                          // that the claim at hand has read
  std::map<AsideKey, std::optional<AsideRow>> asides_;  // changes not yet stored; none = erased
  std::vector<TrailRow> full_trail_;                    // rows not yet stored
  TrailWriter trail_;
  std::vector<BatchPtr> cache_;  // recently used last
  unsigned seen_reopened_ = 0, seen_renewed_ = 0;
  Room room_{};
  bool full_ = false, more_to_prune_ = false;
  bool owed_ = false;  // somebody waits for an answer to what is committed next
  std::uint64_t commits_ = 0, failed_commits_ = 0;
  std::string trouble_;
  std::optional<Error> turn_error_{};
  std::vector<std::string> reports_;
};

}  // namespace checkrelay
