// What the journal's logic (desk.h) needs of a disk. One thread. Changes happen between begin() and
// commit(); an error in between is remembered and told by commit(), so that the logic reads as if
// nothing could fail. Reads that fail return nothing and make failed() true: whoever concludes
// something from "nothing" asks it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spool/frame.h"
#include "spool/lane.h"
#include "spool/note_row.h"
#include "spool/trail.h"

namespace checkrelay {

struct LogRow {
  Seq first = 0, last = 0;
  LaneMask lanes = 0;       // of any of its records
  Wall at{};                // of the commit
  std::uint64_t start = 0;  // bytes of data in all rows before it, ever
};

struct LaneRow {
  LaneId lane = 0;
  std::string name{};
  LaneSaved saved{};
  std::optional<Wall> paused{};  // since when
};

// A record that is kept outside the log because it waits by itself, or is dead.
struct AsideRow {
  LaneId lane = 0;
  Seq seq = 0;
  bool dead = false;
  unsigned tries = 0;
  Wall first_unknown{};
  std::string answer{};
  std::string frame{};
};

struct AsideQuery {
  bool dead = false;
  std::optional<LaneId> lane{};
  Seq after = 0;
  std::size_t limit = 0;
};

struct Room {
  std::uint64_t bytes = 0;  // on disk
  std::uint64_t used = 0;   // of them, not free for reuse
};

// later: what is committed survives a crash of the agent at once, and a loss of power once anything
// is committed with now.
enum class Sync { now, later };

class Store {
 public:
  virtual ~Store() = default;
  // Reopens first where the last commit failed. A no-op within a transaction, which keeps its Sync.
  virtual void begin(Sync sync) = 0;
  // full, unavailable: what was changed may or may not be stored.
  [[nodiscard]] virtual Result<void> commit() = 0;
  [[nodiscard]] virtual bool failed() const = 0;
  // How often the storage was reopened, and how often it was damaged and begun anew with what could
  // still be read.
  [[nodiscard]] virtual unsigned reopened() const { return 0; }
  [[nodiscard]] virtual unsigned renewed() const { return 0; }
  // What was found damaged since it was opened, for the operator.
  [[nodiscard]] virtual std::vector<std::string> take_reports() { return {}; }

  virtual void append(const LogRow& row, std::string_view data) = 0;
  virtual void erase_log(Seq first) = 0;
  // The seq of the same id where it came within `window` before `received`; else the id is noted
  // with `seq`.
  [[nodiscard]] virtual std::optional<Seq> remember(const std::string& id, Seq seq, Wall received,
                                                    Duration window) = 0;
  [[nodiscard]] virtual std::optional<Seq> find_id(const std::string& id) = 0;
  virtual void sweep_ids(std::size_t examine, Wall before) = 0;  // a bounded step around all ids
  virtual void save_lane(const LaneRow& row) = 0;
  virtual void save_aside(const AsideRow& row) = 0;
  virtual void erase_aside(LaneId lane, Seq seq) = 0;
  virtual void set_hash_key(std::string_view key) = 0;  // 16 bytes
  virtual void save_trail(const TrailRow& row) = 0;
  virtual void erase_trail(std::uint64_t number) = 0;
  virtual void append_notes(const NoteRow& row) = 0;
  virtual void erase_notes(std::uint64_t upto) = 0;  // and the rows before it

  // The first row that holds one of `lanes` (all ones: any) and a seq > `seq`; `batch` gets its
  // records.
  [[nodiscard]] virtual BatchPtr log_after(Seq seq, LaneMask lanes) = 0;
  [[nodiscard]] virtual std::optional<LogRow> oldest_log() = 0;
  [[nodiscard]] virtual std::optional<LogRow> log_row_of(
      Seq seq) = 0;                                    // the last row that begins at or before
  [[nodiscard]] virtual std::uint64_t appended() = 0;  // bytes of data, ever
  [[nodiscard]] virtual std::vector<LaneRow> lanes() = 0;
  [[nodiscard]] virtual std::optional<AsideRow> aside(LaneId lane, Seq seq) = 0;
  [[nodiscard]] virtual std::vector<AsideRow> asides(
      const AsideQuery& query) = 0;  // by seq, then lane
  [[nodiscard]] virtual std::vector<TrailRow> trail_of(Seq low, Seq high) = 0;
  [[nodiscard]] virtual std::optional<TrailRow> oldest_trail() = 0;  // without data
  [[nodiscard]] virtual std::uint64_t newest_trail() = 0;            // number, 0 = none
  [[nodiscard]] virtual std::uint64_t newest_notes() = 0;            // number, 0 = none
  [[nodiscard]] virtual std::optional<NoteRow> notes_after(std::uint64_t number) = 0;
  virtual void scan_notes(const std::function<void(const NoteRow&)>& each) = 0;  // by number
  [[nodiscard]] virtual std::string hash_key() = 0;                              // 16 bytes
  [[nodiscard]] virtual Room room() = 0;
  // The disk is so full that only what makes room may be written.
  [[nodiscard]] virtual bool short_of_room() const { return false; }
  // Outside a transaction: a bounded step of housekeeping. True where there is more.
  [[nodiscard]] virtual bool tidy(bool idle) = 0;
};

}  // namespace checkrelay
