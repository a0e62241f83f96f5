// The durable queue. It keeps opaque records in the order of acceptance, once for each destination
// that owes them a verdict, and knows nothing of monitoring but a record's subject (for order) and
// state (for the backlog policy).
//
// Loop thread only; work is done elsewhere and comes back through callbacks that poll() runs, in
// order, on the loop thread. stage() is cheap; records staged while a sync runs share the next one.
// A callback of stage() with success means: committed and synced. A failed commit does not prove
// that nothing was stored: the same id staged again is stored once. Claims live in memory: a
// restart frees them. Damage is never fatal: opening reports what was lost.
//
// Within a destination (a lane) records of one subject are claimed in order of acceptance and never
// two at once. Every record is, for each of its lanes, in exactly one of: pending, in flight,
// delivered, superseded, expired, dead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

using Seq = std::uint64_t;       // order of acceptance, from 1, never reused
using LaneId = unsigned;         // 0 to kMaxLanes-1; durable: a destination's name keeps its lane
using LaneMask = std::uint64_t;  // a bit a lane
constexpr LaneId kMaxLanes = 64;

struct Record {
  std::string id{};       // 1-64 bytes
  bool id_given = false;  // by the producer: the same id within kSameIdWindow is stored once
  std::string subject{};  // the key that order and superseding go by; any bytes
  std::uint8_t state = 0;
  Wall time{};  // of the check: max_age counts from it
  Wall received{};
  LaneMask lanes = 0;
  std::string body{};  // opaque
};
constexpr auto kSameIdWindow = std::chrono::hours(24);

// Something small that is remembered with what changed it: the newest body of each number. Numbers
// are small (they index a table), and used again.
struct Note {
  std::uint32_t number = 0;  // below kMaxNotes
  std::string body{};        // opaque, at most kMaxNoteBytes; empty = forget it
};
constexpr std::uint32_t kMaxNotes = 1U << 24;
constexpr std::size_t kMaxNoteBytes = 64U << 10;

struct Stored {
  Seq seq = 0;             // of the first one, where duplicate
  bool duplicate = false;  // this id was stored before; nothing was added
};

enum class Backlog {
  all,      // every record, in order
  changes,  // of a subject's unsent ones each whose state is not that of the record before it, and
            // the newest, in order (the others are counted as superseded); where the record before
            // it is not known any more, as after a restart, it counts as a change
  latest,   // a newer record of a subject replaces an unsent older one (counted as superseded)
};

enum class Drain {
  in_order,     // the oldest first
  fresh_first,  // the newest first, a share for the oldest; in order within a subject all the same
};

struct LaneOptions {
  Backlog backlog = Backlog::all;
  Duration max_age{};  // older records expire instead of being claimed; 0 = never
  Drain drain = Drain::in_order;
};

struct Claim {
  Seq seq = 0;
  std::string body{};
  Wall received{};
  unsigned tries = 0;                   // verdicts so far that were not the last
  std::optional<Wall> first_unknown{};  // when the upstream first did not know the object
};

// What becomes of a claim.
struct Settlement {
  enum class End {
    delivered,
    dead,  // kept, with `answer`
    expired,
    put_back,  // pending again at its place; the lane's trouble, not its own
    later,     // pending, not before `due`; later records of its subject wait behind it
    held,      // likewise, and what comes behind it supersedes it: of its subject the newest waits
  };
  Seq seq = 0;
  End end = End::put_back;
  Steady due{};
  bool unknown_object = false;  // with later: counts towards first_unknown
  std::string answer{};         // the upstream's words, for the record's story
  bool tried = true;            // counts as a try; false where the trouble was the lane's alone
};

struct LaneStats {
  std::string name{};
  bool active = false;  // in the configuration
  std::uint64_t pending = 0, in_flight = 0, delivered = 0, superseded = 0, expired = 0, dead = 0,
                retries = 0;
  std::uint64_t held = 0;            // subjects of the pending ones that are held
  std::optional<Wall> oldest{};      // `received` of the oldest pending one
  bool claimable = false;            // a claim now would probably bring something
  std::optional<Steady> next_due{};  // when one that was put off becomes claimable
  std::optional<Wall> paused{};      // by the operator, since then: nothing is claimable
  bool operator==(const LaneStats&) const = default;
};

struct JournalStats {
  std::uint64_t bytes = 0;   // on disk
  bool full = false;         // stage() answers Errc::full until room is made
  std::uint64_t staged = 0;  // bytes staged and not yet committed: the measure of congestion
  std::uint64_t commits = 0;
  std::string trouble{};           // why the last commit failed; empty when the last one succeeded
  std::vector<LaneStats> lanes{};  // index = LaneId; names of unused ones are empty
};

// Which records browse() wants. Any order of members; all that are given must hold.
struct BrowseQuery {
  enum class What {
    pending,
    dead,
    delivered,
    any
  };  // delivered = every end that is in the bounded history
  What what = What::pending;
  std::optional<LaneId> lane{};
  std::optional<Seq> seq{};
  std::string id{};
  std::function<bool(const std::string& body)> match{};  // runs on the journal's thread: pure
  Seq after = 0;                                         // for paging: only greater seq
  std::size_t limit = 100;
  bool known_place = false;  // with `id`: looks where the id itself leads, and nowhere else
};

struct StoryLine {
  Wall at{};
  LaneId lane = 0;
  std::string what{};  // "stored", "delivered", "dead", "put back", "later", "superseded",
                       // "expired", "retried", "dropped"
  std::string answer{};
};

struct Browsed {
  Seq seq = 0;
  std::string id{};
  Wall received{};
  LaneId lane = 0;
  std::string what{};    // pending, in_flight, delivered, superseded, expired, dead
  unsigned tries = 0;    // verdicts so far
  std::string answer{};  // of the last try
  std::string body{};
  std::vector<StoryLine> story{};  // where one record was asked for (seq or id)
};

struct BrowsePage {
  std::vector<Browsed> rows{};
  bool more = false;  // not everything was looked at: ask again with after = next
  Seq next = 0;
};

class Journal {
 public:
  virtual ~Journal() = default;  // commits what is staged and settled, runs no callbacks

  // Declares the destinations, by name. Lanes of names not given stay on disk, inactive. Before the
  // first stage() and again at every reload. Result: the lane of each, in the order given; stats()
  // knows them from then on.
  [[nodiscard]] virtual Result<std::vector<LaneId>> lanes(
      const std::vector<std::pair<std::string, LaneOptions>>& destinations) = 0;

  // All or none: `notes` become durable with the records; of several of one number the last counts.
  // Errors: full, unavailable (the disk failed; nothing is known to be stored), invalid, in every
  // case whole. Notes alone are taken even where the journal is full (of max_bytes; not where the
  // disk is).
  virtual void stage(std::vector<Record> records, std::vector<Note> notes,
                     std::function<void(Result<std::vector<Stored>>)> done) = 0;
  void stage(std::vector<Record> records, std::function<void(Result<std::vector<Stored>>)> done) {
    stage(std::move(records), {}, std::move(done));
  }

  // What was noted by runs before this one, each number once, in any order. Blocks; before the
  // first stage(); `each` may run on another thread meanwhile, and must not call the journal. What
  // was lost to damage is told in the opening reports.
  virtual void notes(
      const std::function<void(std::uint32_t number, std::string_view body)>& each) = 0;

  // At most `records` and about `bytes` of the claimable records of distinct subjects, as the
  // lane's `drain` says. `done` may get none.
  virtual void claim(LaneId lane, std::size_t records, std::size_t bytes,
                     std::function<void(std::vector<Claim>)> done) = 0;
  // Each seq must be claimed and not yet settled; others are ignored. Settlements are committed
  // within milliseconds, and not synced by themselves: what a crash or a loss of power forgets is
  // pending again.
  virtual void settle(LaneId lane, std::vector<Settlement> settlements) = 0;

  // What is held may be claimed at once: the reason may be gone.
  virtual void free_held(LaneId lane) = 0;

  // A page takes a bounded effort: where much does not match it ends early, even empty.
  virtual void browse(BrowseQuery query, std::function<void(BrowsePage)> done) = 0;
  // These two tell how many; 0 where that could not be stored, and stats() then says why in
  // `trouble` (it counts once the disk is well again, unless the agent ends before). Operator's:
  // dead ones become pending again; empty `seqs` = every dead one (of `lane`, where given), in
  // bounded steps between which others have their turn. Those beyond what a lane can keep in memory
  // stay dead.
  virtual void retry(std::optional<LaneId> lane, std::vector<Seq> seqs,
                     std::function<void(std::size_t)> done) = 0;
  // Operator's: pending and dead ones end as expired, "dropped", with `why` as the answer.
  virtual void drop(std::optional<LaneId> lane, std::vector<Seq> seqs, std::string why,
                    std::function<void(std::size_t)> done) = 0;

  // Operator's: a paused lane takes records, and gives none to claim; what is in flight may be
  // settled. Outlives restarts. `done` gets whether that was anything new; with an error it holds
  // all the same, and is stored with the next commit that succeeds.
  virtual void pause(LaneId lane, bool paused, std::function<void(Result<bool>)> done) = 0;

  [[nodiscard]] virtual const JournalStats& stats() const = 0;  // as of the last poll()
  // Runs the callbacks that are ready and takes the clock for what happens next. Call it at every
  // turn of the loop in which the journal's wake-up came, and before stats() is trusted; at every
  // turn does no harm and keeps the clock fresh: what is asked is worked with the time of the
  // latest poll().
  virtual void poll(Instant now) = 0;
  // Sets the journal to work on what was asked since. Call it at the end of every turn of the loop:
  // what came in within one turn shares a commit.
  virtual void flush() = 0;
};

}  // namespace checkrelay
