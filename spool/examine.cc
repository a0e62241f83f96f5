#include "spool/examine.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "spool/note_log.h"
#include "spool/snapshot_vfs.h"
#include "spool/sqlite_store.h"
#include "spool/state_lock.h"

namespace checkrelay {
namespace {

using Kind = Finding::Kind;

constexpr LaneMask kAnyLane = ~LaneMask{0};
constexpr Seq kNever = ~Seq{0} >> 1;
constexpr int kRowsAStep = 64;  // of the log, in one view of it
constexpr int kAttempts = 50;
constexpr int kWait = 25;  // ms, for the kernel's clock to tell two writes apart
constexpr std::size_t kRangesTold = 5;
constexpr auto kClockSlack = std::chrono::minutes(5);
constexpr const char* kDamageAdvice =
    "check the disk (smartctl, dmesg); the agent serves the rest, and counts what is damaged as "
    "expired when it meets it";

// One view of the journal after the other.
class View {
 public:
  explicit View(const std::string& directory)
      : directory_(directory), glance_(directory + "/journal.db") {}

  // Runs `f` on a view that nobody disturbed. False: error() says why there is none.
  template <typename F>
  [[nodiscard]] bool with(F f) {
    for (int i = 0; i < kAttempts; ++i) {
      if (!store_ && !open()) {
        if (!error_.what.empty()) return false;
        continue;
      }
      f(*store_);
      if (glance_.still_so()) return true;
      store_.reset();
      ++moved_;
    }
    error_ = {Errc::unavailable, "the agent writes faster than it can be read"};
    return false;
  }
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] int moved() const { return moved_; }

 private:
  bool open() {
    error_ = {};
    glance_.look();
    if (glance_.too_fresh()) {
      ::poll(nullptr, 0, kWait);
      return false;
    }
    SqliteStoreOptions options;
    options.directory = directory_;
    auto store = SqliteStore::read(std::move(options));
    if (store) {
      store_ = std::move(*store);
    } else if (glance_.still_so()) {
      error_ = store.error();
    }
    return store_ != nullptr;
  }

  std::string directory_;
  Glance glance_;
  std::unique_ptr<SqliteStore> store_;
  Error error_{};
  int moved_ = 0;
};

// What waits for one destination, counted.
struct LaneCount {
  LaneRow row{};
  DoneSet done{};
  std::size_t run = 0;  // of row.saved.passed, that is not wholly behind us
  std::uint64_t pending = 0, dead = 0;
  std::unordered_set<std::uint64_t> subjects{};  // that wait and may be superseded

  void waits(const RecordHeader& h) {
    if (h.seq > row.saved.latest_upto) {
      ++pending;
    } else if (subjects.insert(h.subject).second) {
      ++pending;
    }
  }
  void meet(const RecordHeader& h) {
    const auto& runs = row.saved.passed;
    if (h.seq <= row.saved.cursor || h.seq > row.saved.folded) return;
    if ((h.lanes >> row.lane & 1) == 0 || done.has(h.seq)) return;
    while (run < runs.size() && runs[run].last < h.seq) ++run;
    if (run == runs.size() || h.seq < runs[run].first) waits(h);
  }
};

class Examination {
 public:
  Examination(const std::string& directory, Wall now) : view_(directory), now_(now) {
    holder_ = state_holder(directory);
  }

  std::vector<Finding> run() {
    if (!holder_.empty()) add(Kind::note, fmt::format("process {} runs on it", holder_));
    if (!view_.with([this](SqliteStore& s) { begin(s); })) return unreadable();
    const bool whole =
        walk_log() && walk_asides(false) && walk_asides(true) && walk_trail() && walk_notes();
    if (!whole) return unreadable();
    tell_records();
    tell_notes();
    tell_clock();
    tell_accounts();
    tell_pauses();
    check_structure();
    return std::move(findings_);
  }

 private:
  void add(Kind kind, std::string what, std::string advice = {}) {
    findings_.push_back({kind, "journal", std::move(what), std::move(advice)});
  }

  std::vector<Finding> unreadable() {
    const Error& e = view_.error();
    std::string what = e.what.empty() ? trouble_ : e.what;
    const char* advice = "read its files as root or as the agent's user";
    if (e.code == Errc::unsupported) advice = "use the version of checkrelay that wrote it";
    if (e.code == Errc::corrupt || !trouble_.empty())
      advice =
          "check the disk (smartctl, dmesg); at its start the agent keeps the damaged file aside "
          "and "
          "goes on with what can be read of it: have as much room on the disk as the journal takes";
    const bool busy = !holder_.empty() && view_.moved() >= kAttempts;
    if (busy) advice = "try again when less comes in, or with the agent stopped";
    add(Kind::fault, what, advice);
    return std::move(findings_);
  }

  void begin(SqliteStore& store) {
    lanes_.clear();
    for (LaneRow& row : store.lanes()) {
      LaneCount& lane = lanes_.emplace_back();
      lane.done = DoneSet(row.saved.done);
      lane.row = std::move(row);
    }
    if (const auto last = store.log_row_of(kNever)) newest_ = last->at;
  }

  bool fine(const SqliteStore& store) {
    if (store.failed()) trouble_ = store.reading_error();
    return !store.failed();
  }

  bool walk_log() {
    for (Seq from = 0; from != kNever;) {
      std::vector<BatchPtr> batches;
      bool read = false;
      const bool seen = view_.with([&](SqliteStore& store) {
        batches.clear();
        Seq at = from;
        while (batches.size() < kRowsAStep) {
          auto batch = store.log_after(at, kAnyLane);
          if (batch == nullptr) break;
          at = batch->last();
          batches.push_back(std::move(batch));
        }
        read = fine(store);
      });
      if (!seen || !read) return false;
      for (const auto& batch : batches) take(*batch);
      from = batches.size() == kRowsAStep ? batches.back()->last() : kNever;
    }
    return true;
  }

  void take(const Batch& batch) {
    records_ += batch.records().size();
    if (batch.damaged() > 0) {
      damaged_ += batch.damaged();
      if (ranges_.size() < kRangesTold)
        ranges_.push_back(fmt::format("{}-{}", batch.first(), batch.last()));
    }
    for (const Framed& r : batch.records())
      for (LaneCount& lane : lanes_) lane.meet(r.header);
  }

  bool walk_asides(bool dead) {
    AsideQuery query{dead, std::nullopt, 0, 512};
    for (bool more = true; more;) {
      std::vector<AsideRow> rows;
      bool read = false;
      const bool seen = view_.with([&](SqliteStore& store) {
        rows = store.asides(query);
        read = fine(store);
      });
      if (!seen || !read) return false;
      more = rows.size() == query.limit;
      // The last seq may go on behind the page's end.
      const Seq last = rows.empty() ? 0 : rows.back().seq;
      for (const AsideRow& row : rows)
        if (!more || row.seq != last) take(row);
      if (more) query.after = last - 1;
    }
    return true;
  }

  void take(const AsideRow& row) {
    const Batch batch(row.seq, row.seq, row.frame);
    ++records_;
    if (batch.records().empty()) ++damaged_;
    for (LaneCount& lane : lanes_) {
      if (lane.row.lane != row.lane) continue;
      if (row.dead) {
        ++lane.dead;
      } else if (!batch.records().empty()) {
        lane.waits(batch.records().front().header);
      }
    }
  }

  bool walk_trail() {
    bool read = false;
    const bool seen = view_.with([&](SqliteStore& store) {
      bad_trail_ = 0;
      for (const TrailRow& row : store.trail_of(0, kNever))
        if (read_trail(row.data).empty()) ++bad_trail_;
      read = fine(store);
    });
    return seen && read;
  }

  bool walk_notes() {
    for (bool more = true; more;) {
      std::vector<NoteRow> rows;
      bool read = false;
      const bool seen = view_.with([&](SqliteStore& store) {
        rows.clear();
        auto row = store.notes_after(notes_.last());
        for (; row && rows.size() < kRowsAStep; row = store.notes_after(rows.back().number))
          rows.push_back(std::move(*row));
        read = fine(store);
      });
      if (!seen || !read) return false;
      more = rows.size() == kRowsAStep;
      for (const NoteRow& row : rows) take(row);
    }
    return true;
  }

  void take(const NoteRow& row) {
    const auto found = read_notes(row);
    bad_notes_ += found.damaged + (found.placed ? 0 : 1);
    notes_.add(row, found.notes);
  }

  void tell_notes() {
    if (bad_notes_ > 0) {
      add(Kind::fault, fmt::format("{} notes are damaged", bad_notes_),
          "check the disk (smartctl, dmesg); of what they were about the note before counts, where "
          "there is one");
    } else if (notes_.numbers() > 0) {
      add(Kind::well, fmt::format("{} notes, every checksum is right", notes_.numbers()));
    }
  }

  void tell_records() {
    if (damaged_ == 0) {
      add(Kind::well, fmt::format("{} records, every checksum is right", records_));
    } else {
      add(Kind::fault,
          fmt::format("{} of {} records are damaged{}{}", damaged_, records_ + damaged_,
                      ranges_.empty() ? "" : ", among ", fmt::join(ranges_, ", ")),
          kDamageAdvice);
    }
    if (bad_trail_ > 0)
      add(Kind::fault, fmt::format("{} rows of the trail are damaged", bad_trail_),
          "nothing is lost but parts of what `queue show` tells; check the disk");
  }

  void tell_clock() {
    if (newest_ <= now_ + kClockSlack) return;
    add(Kind::fault,
        fmt::format("its newest record was stored at {}, which is in the future",
                    format_rfc3339(newest_)),
        "the clock was set back, or was wrong before: see to its synchronization; ids and history "
        "are kept longer until that time has come");
  }

  void tell_accounts() {
    if (view_.moved() > 0)
      return add(Kind::note,
                 "the agent wrote meanwhile, so the accounts were not compared; stop it for that");
    bool same = true;
    for (const LaneCount& lane : lanes_) {
      const LaneSaved& s = lane.row.saved;
      // What is under way may have been superseded since; the accounts still name it.
      const bool latest = s.latest_upto > 0;
      const bool pending = latest ? lane.pending <= s.pending : lane.pending == s.pending;
      if (pending && lane.dead == s.dead) continue;
      same = false;
      add(Kind::fault,
          fmt::format("the accounts of destination {} say {} pending and {} dead, there are {} and "
                      "{}",
                      lane.row.name, s.pending, s.dead, lane.pending, lane.dead),
          "what is missing was lost to damage; the agent writes it off as expired when it gets "
          "there. Without damage this is a fault of checkrelay: keep a copy and report it");
    }
    if (same)
      add(Kind::well, fmt::format("the accounts of {} destinations are right", lanes_.size()));
  }

  void tell_pauses() {
    for (const LaneCount& lane : lanes_) {
      if (!lane.row.paused) continue;
      findings_.push_back(
          {Kind::fault, "destination " + lane.row.name,
           "paused by the operator since " + format_rfc3339(*lane.row.paused),
           fmt::format("what is meant for it waits; `checkrelay queue resume {}` lets it go on",
                       lane.row.name)});
    }
  }

  void check_structure() {
    std::vector<std::string> faults;
    const int before = view_.moved();
    const bool seen = view_.with([&](SqliteStore& store) {
      if (view_.moved() - before < 3) faults = store.quick_check();
    });
    if (!seen || view_.moved() - before >= 3)
      return add(
          Kind::note,
          "the agent wrote meanwhile, so SQLite's own check has no result; stop it for that");
    if (faults.empty()) return add(Kind::well, "SQLite finds its structure in order");
    add(Kind::fault, fmt::format("SQLite says: {}", fmt::join(faults, "; ")), kDamageAdvice);
  }

  View view_;
  Wall now_;
  std::string holder_, trouble_;
  std::vector<Finding> findings_;
  std::vector<LaneCount> lanes_;
  Wall newest_{};
  std::uint64_t records_ = 0, damaged_ = 0, bad_trail_ = 0, bad_notes_ = 0;
  NoteLog notes_;
  std::vector<std::string> ranges_;
};

}  // namespace

std::vector<Finding> examine_journal(const std::string& directory, Wall now) {
  const std::string file = directory + "/journal.db";
  if (::access(file.c_str(), F_OK) == 0) return Examination(directory, now).run();
  if (errno == ENOENT)
    return {
        {Kind::note, "journal", file + " is not there; the agent makes it at its first start", {}}};
  return {{Kind::fault, "journal", fmt::format("{}: {}", file, std::strerror(errno)),
           "examine it as root or as the agent's user"}};
}

}  // namespace checkrelay
