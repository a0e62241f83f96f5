// What time does: who is to be looked at, and what is said then.
#include <algorithm>
#include <utility>

#include "agent/policy/freshness.h"

namespace checkrelay {
namespace {

using std::chrono::seconds;

constexpr std::size_t kGlobsAPiece = 8;  // that a subject is compared with
constexpr Second kProbe = 60;            // a member of a silent group is looked at again so often

}  // namespace

Wall Freshness::to_wall(Second even) const {
  return Wall(seconds(even) + seconds(clock_.now().shift()));
}

void Freshness::set_state(Slot& slot, FreshState state) {
  --counts_[static_cast<std::size_t>(slot.state)];
  ++counts_[static_cast<std::size_t>(state)];
  slot.state = state;
}

void Freshness::set_late(Slot& slot, bool late) {
  Group* group = group_of(slot);
  if (group && slot.late != late) late ? ++group->late : --group->late;
  slot.late = group && late;
}

// One that is armed for earlier stays so, and is armed anew then: most reports cost no heap
// operation.
void Freshness::arm(Id id, Second at) {
  Slot& slot = slots_[id];
  if (at >= slot.armed) return;
  slot.armed = at;
  wakes_.push({at, id});
  constexpr std::size_t kSmall = 1024;
  if (wakes_.size() <= 2 * slots_.size() + kSmall) return;
  wakes_.keep([&](const WakeHeap::Wake& w) { return slots_[w.key].armed == w.at; });
}

void Freshness::arm_first(Id id) {
  const Slot& slot = slots_[id];
  const Reading& now = clock_.now();
  if (slot.state == FreshState::none) return;
  if (slot.standing.told != 0) return arm(id, now.even);
  const Expectation& e = expectation(slot);
  Second last = e.deadline(slot.standing, now);
  if (group_index(slot) != kNoRule) last = std::min(last, e.due(slot.standing, now));
  if (last != kNever) arm(id, last + 1);
}

// The state of one that is not late as far as is known, and when to look at it.
void Freshness::rest(Id id) {
  Slot& slot = slots_[id];
  const Standing& s = slot.standing;
  const bool promised = expectation(slot).deadline(s, clock_.now()) != kNever;
  if (s.told != 0) set_state(slot, FreshState::overdue);
  if (s.told == 0) set_state(slot, s.reported ? FreshState::ok : FreshState::unseen);
  if (s.told == 0 && !promised) set_state(slot, FreshState::none);
  arm_first(id);
}

void Freshness::end_runs(Id id, const std::function<bool(const FreshnessRun&)>& over) {
  auto runs = runs_.find(id);
  if (runs == runs_.end()) return;
  std::erase_if(runs->second, over);
  keep_oldest_run(id);
}

void Freshness::keep_oldest_run(Id id) {
  Second& oldest = slots_[id].standing.run;
  oldest = 0;
  auto runs = runs_.find(id);
  if (runs == runs_.end()) return;
  for (const FreshnessRun& run : runs->second)
    oldest = oldest == 0 ? run.began : std::min(oldest, run.began);
  if (runs->second.empty()) runs_.erase(runs);
}

bool Freshness::more_to_do() const {
  if (sweep_entries_ < entries_.size()) return true;
  if (sweep_ < slots_.size() || !heard_.empty()) return true;
  return !wakes_.empty() && wakes_.top().at <= clock_.now().even;
}

bool Freshness::step(Instant now, std::size_t limit, const Outage& outage,
                     std::vector<FreshnessNews>& news) {
  read_clock(now);
  tell_heard(news);
  for (std::size_t cost = 1; limit > 0 && more_to_do(); limit -= std::min(limit, cost)) {
    cost = 1;
    if (sweep_entries_ < entries_.size()) {
      cost = sweep_entry();
      continue;
    }
    if (sweep_ < slots_.size()) {
      const Id id = sweep_++;
      if (!slots_[id].used || slots_[id].generation == generation_) continue;
      refresh(id);
      cost += by_glob_.size() / kGlobsAPiece;
      continue;
    }
    const WakeHeap::Wake wake = wakes_.pop();
    Slot& slot = slots_[wake.key];
    if (!slot.used || slot.armed != wake.at) continue;
    slot.armed = kNever;
    judge(wake.key, outage, news);
  }
  return more_to_do();
}

std::optional<Steady> Freshness::deadline(Instant now) const {
  if (more_to_do()) return now.steady;
  if (wakes_.empty()) return std::nullopt;
  const Duration even = now.wall.time_since_epoch() - clock_.shift();
  return now.steady + std::max(Duration{}, Duration(seconds(wakes_.top().at)) - even);
}

// Of a group's member that the due time is past counts, before its grace is over; but not in a
// planned outage.
Second Freshness::look_when_late(Slot& slot, const Reckoning& found, const OutageUntil& outage) {
  const Second now = clock_.now().even;
  if (found.state == FreshState::in_outage) set_late(slot, false);
  if (group_index(slot) == kNoRule || slot.late || slot.standing.told != 0) return found.look;
  if (found.state == FreshState::in_outage) return found.look;
  const Second due = expectation(slot).due(slot.standing, clock_.now());
  if (now <= due) return due == kNever ? found.look : std::min(found.look, due + 1);
  if (outage && outage(to_wall(now))) return std::min(found.look, now + kProbe);
  set_late(slot, true);
  return found.look;
}

void Freshness::judge(Id id, const Outage& outage, std::vector<FreshnessNews>& news) {
  if (slots_[id].generation != generation_) refresh(id);
  Slot& slot = slots_[id];
  struct {
    const Freshness* self;
    const Outage* outage;
    Id id;
  } const asked{this, &outage, id};
  const OutageUntil until = [&asked](Wall t) {
    return (*asked.outage)(asked.self->subjects_.subject(asked.id), t);
  };
  const OutageUntil known = outage ? until : OutageUntil();
  const Reckoning j = expectation(slot).judge(slot.standing, clock_.now(), since_, known);
  const Second look = look_when_late(slot, j, known);
  const bool speaks = j.call != Reckoning::Call::wait;
  const auto covered = speaks ? covered_by_group(slot, j.run, news) : std::nullopt;
  if (speaks && !covered) tell(id, j, news);
  set_state(slot, j.state);
  arm(id, covered.value_or(look));
}

// When to look again at a member that the group speaks for.
std::optional<Second> Freshness::covered_by_group(const Slot& slot, bool run,
                                                  std::vector<FreshnessNews>& news) {
  Group* group = group_of(slot);
  if (!group) return std::nullopt;
  const Second now = clock_.now().even;
  const Expectation& e = expectation(slot);
  if (group->silent) {
    const auto repeat = std::chrono::ceil<seconds>(e.promise().repeat).count();
    if (repeat > 0 && now >= group->told + repeat)
      tell_group(*group, FreshnessNews::Kind::group_again, news);
    return now + kProbe;
  }
  const Second settled = group->recovered + e.settle(slot.standing);
  if (group->recovered != 0 && now < settled) return settled;
  if (run || slot.standing.told != 0) return std::nullopt;
  if (group->late < 2 || group->heard >= e.due(slot.standing, clock_.now())) return std::nullopt;
  group->silent = true;
  tell_group(*group, FreshnessNews::Kind::group_silent, news);
  return now + kProbe;
}

Wall Freshness::due_of(const Slot& slot) const {
  const Second due = expectation(slot).due(slot.standing, clock_.now());
  return due == kNever ? Wall{} : to_wall(due);
}

void Freshness::tell(Id id, const Reckoning& j, std::vector<FreshnessNews>& news) {
  using Kind = FreshnessNews::Kind;
  Slot& slot = slots_[id];
  const Expectation& e = expectation(slot);
  const Reading& now = clock_.now();
  FreshnessChange change{id, slot.standing, {}, runs_of(id)};
  const Second due = j.run ? e.deadline(slot.standing, now) : e.due(slot.standing, now);
  const auto limit = std::chrono::ceil<seconds>(e.promise().run_limit).count();
  if (j.run) end_runs(id, [&](const FreshnessRun& run) { return run.began + limit < now.even; });
  slot.standing.told = now.even;
  FreshnessNews& n = news.emplace_back();
  n.kind = j.run ? Kind::run_too_long : Kind::overdue;
  if (j.call == Reckoning::Call::again) n.kind = Kind::again;
  n.record = record(id);
  change.after = slot.standing;
  n.change = std::move(change);
  n.entry = slot.rule == kNoRule ? kNoEntry : slot.rule;
  n.last = slot.standing.reported ? Wall(seconds(slot.standing.seen)) : Wall{};
  n.due = due == kNever ? Wall{} : to_wall(due);
  n.while_down = down_since_ != 0 && due >= down_since_ && due <= started_;
}

void Freshness::tell_group(Group& group, FreshnessNews::Kind kind,
                           std::vector<FreshnessNews>& news) {
  FreshnessNews& n = news.emplace_back();
  n.told_before = group.told;
  group.told = kind == FreshnessNews::Kind::group_heard ? 0 : clock_.now().even;
  n.kind = kind;
  n.group = {group.name, group.told};
  n.last = group.heard == 0 ? Wall{} : to_wall(group.heard);
  n.late = group.late;
}

void Freshness::tell_heard(std::vector<FreshnessNews>& news) {
  for (std::uint32_t index : std::exchange(heard_, {}))
    if (!groups_[index].silent) tell_group(groups_[index], FreshnessNews::Kind::group_heard, news);
}

bool Freshness::forget(const Subject& subject) {
  const auto id = find(subject);
  if (!id) return false;
  Slot& slot = slots_[*id];
  if (slot.generation == generation_) set_late(slot, false);
  --counts_[static_cast<std::size_t>(slot.state)];
  runs_.erase(*id);
  subjects_.erase(*id);
  slot = Slot{};
  std::erase(awaited_, *id);
  await_on(subject.host);
  return true;
}

std::optional<Freshness::Id> Freshness::find(const Subject& subject) const {
  return subjects_.find(subject.host, subject.service);
}

Freshness::View Freshness::view(Id id) const {
  const Slot& slot = slots_[id];
  View v;
  v.subject = subjects_.subject(id);
  v.state = slot.state;
  v.by_ttl = slot.standing.by_ttl;
  if (slot.standing.reported) v.last = Wall(seconds(slot.standing.seen));
  if (slot.generation != generation_) return v;
  if (slot.rule != kNoRule) v.entry = slot.rule;
  v.due = due_of(slot);
  const Promise& promise = expectation(slot).promise();
  v.zone = promise.schedule ? promise.schedule->zone().value_or(promise.zone) : promise.zone;
  return v;
}

Wall Freshness::told(Id id) const {
  const Second told = slots_[id].standing.told;
  return told == 0 ? Wall{} : to_wall(told);
}

std::size_t Freshness::bytes() const {
  return subjects_.bytes() + slots_.size() * sizeof(Slot) + wakes_.bytes();
}

}  // namespace checkrelay
