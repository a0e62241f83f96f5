// Freshness of a million subjects: who has promised to report, who has not, and what is to be said
// about it. Pure, in virtual time; the loop thread alone.
//
// In: every result (report), announced runs (begin_run), time (step). Out: the Standing of each
// subject that a result changed, to be committed with that result; and news, each to become one
// synthetic result, to be committed with the standing that comes with it. Whoever feeds results
// in leaves out synthetic ones (is_freshness_source), an agent downstream's too.
//
// Subjects of globs are learned from what arrives and are remembered. `expect` names services
// that must exist: on a literal host from the start, on the hosts of a glob once anything of such a
// host has arrived. A subject that no entry covers and no ttl binds is known too, and is none's
// concern. Where entries overlap the first one counts.
//
// A group stands for a site: if nothing of it has arrived since a member was due, and another
// member is late as well, that is one news about the group and none about its members; when
// anything of it arrives the group is heard again, and members that stay silent are judged each by
// itself after they had time to settle.
//
// Bounded: a step does at most `limit` small pieces of work. About 110 bytes a subject beside its
// name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/policy/expectation.h"
#include "agent/policy/subject_table.h"
#include "agent/policy/wake_heap.h"

namespace checkrelay {

// What synthetic results carry as check_source; behind it may follow " at EDGE".
constexpr std::string_view kFreshnessSource = "checkrelay freshness";
[[nodiscard]] bool is_freshness_source(std::string_view check_source);

struct FreshnessEntry {
  std::string host = "*", service{};  // globs; service: "" = the host's own check, "*" both
  Promise promise{};
  std::vector<std::string> expect{};  // services, literally
  std::string group{};                // "" = none
};

// A run that was announced.
struct FreshnessRun {
  std::string id{};
  Second began = 0;  // even
  bool operator==(const FreshnessRun&) const = default;
};
struct FreshnessRecord {
  Subject subject{};
  Standing standing{};
  std::vector<FreshnessRun> runs{};
  bool operator==(const FreshnessRecord&) const = default;
};
struct GroupRecord {
  std::string name{};
  Second told = 0;  // even: when it was last called silent; 0 = it is heard
  bool operator==(const GroupRecord&) const = default;
};

// What an event made of a subject, to be taken back where it could not be kept.
struct FreshnessChange {
  SubjectTable::Id id = 0;
  Standing before{}, after{};
  std::vector<FreshnessRun> runs{};  // before
};

struct FreshnessNews {
  enum class Kind {
    overdue,       // a report did not come
    run_too_long,  // a run did not end
    again,         // still overdue
    group_silent,
    group_again,  // still silent
    group_heard,  // its recovery: an OK that nobody else would report
  };
  Kind kind = Kind::overdue;
  FreshnessRecord record{};  // of a group: empty
  GroupRecord group{};       // of a subject: empty
  FreshnessChange change{};  // of a subject
  Second told_before = 0;    // of a group
  std::size_t entry = 0;     // in entries(); kNoEntry: the promise was a ttl alone
  Wall last{}, due{};        // last report (Wall{} = never), when the next one was due
  bool while_down = false;   // the agent did not run at the due time
  std::size_t late = 0;      // group_silent: members that are past their due time
};

class Freshness {
 public:
  using Id = SubjectTable::Id;
  static constexpr std::size_t kNoEntry = ~std::size_t{0};
  static constexpr std::size_t kMaxRuns = 16;  // a subject; beyond, the oldest is given up
  static constexpr std::size_t kMostSubjects = 4'000'000;  // more are not watched, but counted

  explicit Freshness(std::vector<FreshnessEntry> entries, std::size_t most = kMostSubjects);

  // What a run before this one left, before start(). A subject keeps its id; ids are small.
  void restore(Id id, const FreshnessRecord& record);
  void restore(const GroupRecord& record);
  void restore(const EvenClock& clock, Second down_since);
  void start(Instant now);
  // Another configuration; subjects stay known.
  void replace(std::vector<FreshnessEntry> entries, Instant now);
  // Planned outages are not what they were: who is late is judged anew.
  void outages_changed() { begin_sweep(); }

  struct Report {
    std::string_view host{}, service{};
    Wall time{};             // Wall{} = now
    Duration ttl{};          // 0 = none
    std::string_view run{};  // the run that it ends; where none is called so, all that began
                             // before `time`
  };
  // What it changed; none where nothing is to be kept. The subject's record() belongs to the
  // result.
  std::optional<FreshnessChange> report(const Report& report, Instant now);
  // A run of a subject whose entry has a run_limit.
  std::optional<FreshnessChange> begin_run(const Report& announced, Instant now);
  // It is as if that had not been, unless something has come since. False: something has.
  bool take_back(const FreshnessChange& change);
  void take_back(const FreshnessNews& news);
  [[nodiscard]] FreshnessRecord record(Id id) const;
  // Subjects that became awaited by `expect` since the last call: to be kept soon.
  [[nodiscard]] std::vector<Id> take_awaited();

  // Appends to `news`. True: there is more to do at once.
  // `outage`: until when the subject is in a planned outage that holds the time.
  using Outage = std::function<std::optional<Wall>(const Subject&, Wall)>;
  bool step(Instant now, std::size_t limit, const Outage& outage, std::vector<FreshnessNews>& news);
  // When to call step() next; none: not before something arrives.
  [[nodiscard]] std::optional<Steady> deadline(Instant now) const;

  bool forget(const Subject& subject);  // one that is in an `expect` comes back, unseen
  [[nodiscard]] std::optional<Id> find(const Subject& subject) const;

  struct View {
    Subject subject{};
    FreshState state = FreshState::none;
    std::size_t entry = kNoEntry;
    Wall last{}, due{};  // Wall{} = never
    Zone zone{};         // of the schedule
    bool by_ttl = false;
  };
  [[nodiscard]] View view(Id id) const;                                     // REQUIRES: known
  [[nodiscard]] FreshState state(Id id) const { return slots_[id].state; }  // likewise
  [[nodiscard]] Wall told(Id id) const;  // likewise: when it was last called overdue, or Wall{}
  [[nodiscard]] Wall began(const FreshnessRun& run) const { return to_wall(run.began); }
  [[nodiscard]] const SubjectTable& subjects() const { return subjects_; }
  [[nodiscard]] const std::vector<FreshnessEntry>& entries() const { return entries_; }
  [[nodiscard]] std::size_t count(FreshState state) const {
    return counts_[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::size_t unwatched() const { return unwatched_; }
  [[nodiscard]] std::vector<GroupRecord> groups_told() const;  // that are called silent
  [[nodiscard]] const EvenClock& clock() const { return clock_; }
  [[nodiscard]] std::size_t bytes() const;  // of memory, about

 private:
  static constexpr std::uint32_t kNoRule = ~std::uint32_t{0};
  struct Slot {
    Standing standing{};
    std::uint32_t rule = kNoRule;
    Second armed = kNever;  // the wake-up in the heap that counts
    FreshState state = FreshState::none;
    std::uint8_t generation = 0;  // of rules and clock that `rule` and `due` are by
    bool late = false;            // counted in its group
    bool used = false;
  };
  struct Group {
    std::string name{};
    Second heard = 0, told = 0, recovered = 0;  // even
    std::size_t late = 0;
    bool silent = false;
  };

  void build_rules();
  void begin_sweep();
  void read_clock(Instant now);
  [[nodiscard]] std::uint32_t rule_of(std::string_view host, std::string_view service) const;
  [[nodiscard]] const Expectation& expectation(const Slot& slot) const;
  [[nodiscard]] std::uint32_t group_index(const Slot& slot) const;  // kNoRule = none
  [[nodiscard]] Group* group_of(const Slot& slot);
  std::optional<Id> known(std::string_view host, std::string_view service);
  Id add(std::string_view host, std::string_view service);
  void take_slot(Id id);
  void await(std::string_view host, const std::string& service);
  void await_on(std::string_view host);
  [[nodiscard]] std::size_t sweep_entry();  // returns what it cost
  [[nodiscard]] std::vector<FreshnessRun> runs_of(Id id) const;
  [[nodiscard]] bool is_run(Id id, std::string_view run) const;
  void hear(std::uint32_t group, Second at);
  void refresh(Id id);
  void set_state(Slot& slot, FreshState state);
  void set_late(Slot& slot, bool late);
  void arm(Id id, Second at);
  void arm_first(Id id);
  void end_runs(Id id, const std::function<bool(const FreshnessRun&)>& over);
  void keep_oldest_run(Id id);
  void hear(const Slot& slot);
  void rest(Id id);
  [[nodiscard]] bool is_awaited(const Slot& slot, std::string_view service) const;
  [[nodiscard]] bool more_to_do() const;
  void judge(Id id, const Outage& outage, std::vector<FreshnessNews>& news);
  [[nodiscard]] Second look_when_late(Slot& slot, const Reckoning& found,
                                      const OutageUntil& outage);
  [[nodiscard]] std::optional<Second> covered_by_group(const Slot& slot, bool run,
                                                       std::vector<FreshnessNews>& news);
  void tell(Id id, const Reckoning& judgement, std::vector<FreshnessNews>& news);
  void tell_group(Group& group, FreshnessNews::Kind kind, std::vector<FreshnessNews>& news);
  void tell_heard(std::vector<FreshnessNews>& news);
  [[nodiscard]] Wall to_wall(Second even) const;
  [[nodiscard]] Wall due_of(const Slot& slot) const;

  std::vector<FreshnessEntry> entries_;
  std::vector<Expectation> rules_;  // one an entry
  Expectation bare_{};              // of subjects without an entry
  std::vector<std::uint32_t> group_of_rule_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_host_;  // literal ones
  std::vector<std::uint32_t> by_glob_, awaiting_;  // awaiting_: globs with `expect`
  std::vector<Group> groups_;
  std::vector<std::uint32_t> heard_;  // groups whose recovery is to be told

  SubjectTable subjects_;
  std::deque<Slot> slots_;
  std::unordered_map<Id, std::vector<FreshnessRun>> runs_;
  std::vector<Id> awaited_;
  WakeHeap wakes_;
  std::array<std::size_t, 5> counts_{};
  std::size_t unwatched_ = 0, most_;

  EvenClock clock_{};
  Second down_since_ = 0, started_ = 0, since_ = 0;  // even; 0 = this is the first run
  std::uint8_t generation_ = 0;
  Id sweep_ = 0;                   // slots from here on are of an older generation, maybe
  std::size_t sweep_entries_ = 0;  // entries from here on: what they expect may not be known
};

}  // namespace checkrelay
