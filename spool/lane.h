// One destination's bookkeeping: which record is claimed next, and what became of each. Pure: no
// disk, no clock.
//
// The log is read in order through a window of bounded size, so memory does not grow with the
// backlog. Everything up to the cursor is finished or set aside. A record that must wait for itself
// (put off) is set aside, with a copy outside the log, so that one bad record holds up neither the
// cursor nor the others; so are, when the window is full, the records that wait behind it. A
// subject that is busy (in flight, put off, or ready again after that) keeps its later records in a
// list of its own, so that each record is looked at once however long it waits.
//
// With Backlog::latest an index knows the newest unsent record of each subject. Superseding happens
// when the newer one is fed; the older one is recognised when its turn comes. The index is not kept
// on disk: reindex() rebuilds it.
//
// With Backlog::changes an index knows the last record of each subject, its state, and whether that
// was a change. What a newer one supersedes is finished at once (DoneSet) and so written down: that
// it was no change could not be found out again once the record before it is behind the cursor.
//
// What is in the accounts is as of `folded`: after a crash the records behind it are fed again, so
// that storing a record need not touch the row of any lane.
#pragma once

#include <deque>
#include <initializer_list>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>
#include <vector>

#include "spool/clock_jumps.h"
#include "spool/done_set.h"
#include "spool/frame.h"
#include "spool/last_states.h"
#include "spool/subject_index.h"

namespace checkrelay {

struct LaneLimits {
  std::size_t window = 8192;       // headers in memory, 40 bytes each
  std::size_t aside = 65536;       // records set aside; beyond it the lane waits for them
  std::size_t remembered = 65536;  // Backlog::changes: subjects, beside those that wait
  std::size_t tail = 8192;         // Drain::fresh_first: newest records in memory
  std::size_t subjects = 262144;   // likewise: in the gap, 16 bytes a slot
};

// What is written into the record's story; the numbers are FORMAT.md's.
enum class Fate : std::uint8_t {
  delivered = 1,
  dead,
  put_back,
  later,
  superseded,
  expired,
  retried,
  dropped
};
[[nodiscard]] const char* to_string(Fate fate);

struct LaneEvent {
  Seq seq = 0;
  Fate fate = Fate::delivered;
  std::string answer{};
};

// A change of the set of records that are kept outside the log.
struct AsideChange {
  enum class What { park, bury, forget };  // waits; dead; neither any more
  What what = What::park;
  Seq seq = 0;
  unsigned tries = 0;
  Wall first_unknown{};  // Wall{} = never
  std::string answer{};
};

struct LaneOutput {
  std::vector<LaneEvent> events{};
  std::vector<AsideChange> aside{};
};

struct Run {
  Seq first = 0, last = 0;
};

// What a lane keeps on disk. In flight counts as pending.
struct LaneSaved {
  Seq cursor = 0, folded = 0, latest_upto = 0;
  std::uint64_t pending = 0, delivered = 0, superseded = 0, expired = 0, dead = 0, retries = 0;
  std::vector<Run> passed{};  // behind the cursor and yet finished or set aside; ascending
  // Likewise. Of save(): what changed since mark_saved(); of a store: everything.
  std::vector<DoneChunk> done{};
};

struct Taken {
  Seq seq = 0;
  unsigned tries = 0;
  Wall first_unknown{};
  bool aside = false;  // its copy is outside the log
};

// Takes `n` off these accounts, of the first one as far as it goes.
void take_back(std::uint64_t n, std::initializer_list<std::uint64_t*> accounts);

class Lane {
 public:
  explicit Lane(LaneLimits limits = {}) : limits_(limits) {}
  Lane(const LaneSaved& saved, LaneLimits limits);
  void configure(const LaneOptions& options);

  // A record that was committed, in order. REQUIRES: seq > folded() and its lanes hold this one.
  void feed(const RecordHeader& h, LaneOutput& out);
  void fed_upto(Seq seq);  // no more of this lane up to here
  [[nodiscard]] Seq folded() const { return folded_; }

  // The window: what was fed while there was no room is read again from the log, from loaded() on.
  [[nodiscard]] bool wants_more() const;
  [[nodiscard]] Seq loaded() const { return loaded_; }
  [[nodiscard]] bool empty_window() const { return window_.empty(); }
  void load(const RecordHeader& h);  // records of other lanes are skipped
  void loaded_upto(Seq seq);
  // Sets aside what waits behind put-off records, where the window is full. False where that freed
  // nothing.
  bool make_room(LaneOutput& out);

  // Backlog::latest and changes after a start or a change of mode: while rebuilding() nothing is
  // claimed and nothing may be fed; every record from reindex_from() on goes through reindex(),
  // then reindexed().
  [[nodiscard]] bool rebuilding() const { return rebuilding_; }
  [[nodiscard]] Seq reindex_from() const { return reindex_from_; }
  void reindex(const RecordHeader& h, LaneOutput& out);
  void reindexed_upto(Seq seq) { reindex_from_ = seq; }
  void reindexed(LaneOutput& out);

  // Drain::fresh_first after a start or a change of mode: every record from survey_from() on goes
  // through survey(). Until then the lane drains in order.
  [[nodiscard]] bool surveying() const { return survey_to_ != 0; }
  [[nodiscard]] Seq survey_from() const { return survey_from_; }
  void survey(const RecordHeader& h);
  void surveyed_upto(Seq seq);

  // At most `records` and about `bytes`; records that are too old end as expired.
  [[nodiscard]] std::vector<Taken> claim(std::size_t records, std::size_t bytes, Instant now,
                                         LaneOutput& out, const ClockJumps& jumps = {});
  void settle(const Settlement& s, Instant now, LaneOutput& out);
  void free_held();  // what is held is due

  void restore_aside(const RecordHeader& h, unsigned tries, Wall first_unknown);
  // Operator's. `h` is the header of the record in question; false where it is not in the right
  // state.
  bool drop(const RecordHeader& h, LaneOutput& out);
  void drop_dead(Seq seq, LaneOutput& out);
  void revive(const RecordHeader& h, LaneOutput& out);
  [[nodiscard]] bool has_room_aside() const { return aside_.size() < limits_.aside; }
  // What is still counted as waiting when nothing is left was lost to damage: it ends as expired.
  // Returns how many.
  std::uint64_t write_off();
  std::uint64_t write_off_dead(std::uint64_t there);  // likewise, of what is dead

  enum class Place { pending, in_flight, superseded, finished };
  [[nodiscard]] Place place(
      const RecordHeader& h) const;  // of a record of this lane that is not dead
  [[nodiscard]] Seq cursor() const { return cursor_; }
  [[nodiscard]] LaneSaved save() const;
  void fill(LaneStats& stats) const;
  // True where the row on disk no longer says what happened (storing alone does not count).
  [[nodiscard]] bool changed() const { return changed_ || done_.changed(); }
  void store_anew();  // what was stored is there no more
  void mark_saved() {
    changed_ = false;
    done_.mark_saved();
  }

 private:
  // passed, done: finished or set aside; that a record is done is in done_.
  enum class Status : std::uint8_t { open, flying, passed, done };
  struct Entry {
    Seq seq = 0;
    std::uint64_t subject = 0;
    Wall time{}, received{};
    std::uint32_t size = 0;
    std::uint16_t tries = 0;
    std::uint8_t state = 0;
    Status status : 7 = Status::open;
    bool outdated : 1 = false;  // in flight, and to be superseded should it come back
  };
  struct Aside : Entry {
    Wall first_unknown{};
  };
  enum class Phase : std::uint8_t { ready, flying, put_off };
  struct Busy {
    Seq head = 0;  // 0: put off, and its record was superseded; the next one inherits the wait
    Phase phase = Phase::ready;
    bool held = false;  // put off, and the next one takes its place
    Steady due{};
    std::vector<Seq> waiting{};  // ascending
  };
  using BusyMap = std::unordered_map<std::uint64_t, Busy>;
  struct Due {
    Steady at{};
    std::uint64_t subject = 0;
    bool operator>(const Due& o) const { return at > o.at; }
  };

  [[nodiscard]] static Entry entry_of(const RecordHeader& h);
  [[nodiscard]] Entry* window_entry(Seq seq);
  [[nodiscard]] const Entry* window_entry(Seq seq) const;
  [[nodiscard]] Entry* entry(
      Seq seq);  // aside or window; nullptr where neither holds it as unfinished
  [[nodiscard]] bool indexed(Seq seq) const { return seq <= latest_upto_; }
  [[nodiscard]] bool superseded(Seq seq, std::uint64_t subject) const;
  [[nodiscard]] bool passes(const Entry& e) const;
  void unlink(Seq old, std::uint64_t subject, LaneOutput& out);
  void displace(const RecordHeader& h, bool count, LaneOutput& out);
  // lane_changes.cc
  void follow(const RecordHeader& h, LaneOutput& out);
  void thin_out(Seq seq, std::uint64_t subject, LaneOutput& out);
  void mark_sent(const Entry& e, bool sent);
  void concluded(Seq seq, std::uint64_t subject, Fate fate);
  // lane_rebuild.cc
  void rebuild();
  void recall_asides(LaneOutput& out);
  void reindex_one(const RecordHeader& h, LaneOutput& out);
  void recall(const RecordHeader& h, LaneOutput& out);
  void recall_latest(const RecordHeader& h, bool alive);
  [[nodiscard]] bool live(Seq seq) const;
  void settle_accounts();

  // lane_fresh.cc
  void set_drain(bool fresh_first);
  void make_claimable(Seq seq);
  void begin_survey();
  void into_gap(Seq seq, std::uint64_t subject);
  void feed_tail(const RecordHeader& h);
  bool evict_oldest();
  void evict(std::uint64_t subject);
  [[nodiscard]] bool leave_tail(Seq seq);
  void caught_up();
  [[nodiscard]] Seq newest_head() const;
  [[nodiscard]] Seq peek_fresh(LaneOutput& out);
  void take_place(const Entry& newer, LaneOutput& out);
  void leave_newest(Busy& busy, std::uint64_t subject, LaneOutput& out);
  [[nodiscard]] bool give_way(Seq old, std::uint64_t subject, LaneOutput& out);

  void forget_aside(Seq seq, LaneOutput& out);
  void pass(Entry& e);
  void promote(BusyMap::iterator it);
  void release(std::uint64_t subject, Seq head);
  void release_due(Steady now);
  void make_ready(Busy& busy);
  [[nodiscard]] Seq peek(LaneOutput& out);
  [[nodiscard]] bool claimable(Seq head);
  [[nodiscard]] bool ready_in_reach() const;
  void take(Entry& e);
  void end(Entry& e, Fate fate, std::string answer, LaneOutput& out);
  void give_back(Entry& e, const Settlement& s, Instant now, LaneOutput& out);
  void wait_no_more(Busy& busy);
  void put_off(Entry& e, const Settlement& s, Instant now, LaneOutput& out);
  void line_up(Seq seq, std::uint64_t subject);
  [[nodiscard]] bool waits_behind_put_off(const Entry& e) const;
  void advance();

  LaneLimits limits_;
  Duration max_age_{};
  Seq cursor_ = 0, loaded_ = 0, folded_ = 0;
  Seq latest_upto_ = 0;  // records up to here are in the index while they are unsent
  bool changed_ = false;
  bool rebuilding_ = false;
  Seq reindex_from_ = 0;
  bool changes_ = false;         // Backlog::changes
  bool asides_recalled_ = true;  // while rebuilding
  bool accounts_settled_ =
      false;                 // while rebuilding: the walk is past what is counted, if anything
  bool thinned_ = false;     // while rebuilding: the index may hold less than is counted
  std::uint64_t plain_ = 0;  // while rebuilding: waiting records that the index does not hold
  Seq passed_upto_ = 0;      // no entry of the window behind it has passed
  std::uint64_t pending_ = 0, in_flight_ = 0, delivered_ = 0, superseded_ = 0, expired_ = 0,
                dead_ = 0, retries_ = 0;
  std::uint64_t held_ = 0;  // in busy_, put off so
  bool fresh_first_ = false;
  bool blind_ = false;  // the gap is not known
  unsigned turn_ = 0;
  Seq survey_from_ = 0, survey_to_ = 0;
  std::set<Seq> heads_;        // in place of ready_
  std::map<Seq, Entry> tail_;  // behind loaded_
  SubjectIndex gap_;           // the newest record of each subject between window and tail
  std::deque<Entry> window_;
  std::size_t scan_ = 0;  // the first entry of the window that claim() has not looked at
  std::map<Seq, Aside> aside_;
  BusyMap busy_;
  std::priority_queue<Seq, std::vector<Seq>, std::greater<>>
      ready_;                                                       // heads; stale ones are skipped
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;  // likewise
  DoneSet done_;
  SubjectIndex index_;
  LastStates last_;
  SubjectIndex news_;  // Backlog::changes: the change that the last ones repeat, until it ends
};

}  // namespace checkrelay
