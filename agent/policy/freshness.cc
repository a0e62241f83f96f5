// What is known: entries, subjects, and what their results change.
#include "agent/policy/freshness.h"

#include <algorithm>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

bool is_literal(std::string_view glob) {
  return glob.find_first_of("*?[\\") == std::string_view::npos;
}

bool takes_service(const FreshnessEntry& entry, std::string_view service) {
  return entry.service.empty() ? service.empty() : glob_match(entry.service, service);
}

std::uint32_t number(std::size_t n) { return static_cast<std::uint32_t>(n); }

}  // namespace

bool is_freshness_source(std::string_view check_source) {
  const std::string_view rest =
      check_source.substr(0, std::min(check_source.size(), kFreshnessSource.size()));
  if (rest != kFreshnessSource) return false;
  return check_source.size() == rest.size() || check_source.substr(rest.size(), 4) == " at ";
}

Freshness::Freshness(std::vector<FreshnessEntry> entries, std::size_t most)
    : entries_(std::move(entries)), most_(most) {
  build_rules();
}

void Freshness::build_rules() {
  std::vector<Group> before = std::exchange(groups_, {});
  rules_.clear();
  group_of_rule_.assign(entries_.size(), kNoRule);
  by_host_.clear();
  by_glob_.clear();
  awaiting_.clear();
  heard_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const FreshnessEntry& entry = entries_[i];
    const bool literal = is_literal(entry.host);
    rules_.emplace_back(entry.promise);
    (literal ? by_host_[entry.host] : by_glob_).push_back(number(i));
    if (!literal && !entry.expect.empty()) awaiting_.push_back(number(i));
    if (entry.group.empty()) continue;
    auto named = [&](const Group& g) { return g.name == entry.group; };
    auto found = std::find_if(groups_.begin(), groups_.end(), named);
    if (found == groups_.end()) {
      auto old = std::find_if(before.begin(), before.end(), named);
      Group fresh;
      fresh.name = entry.group;
      found = groups_.insert(groups_.end(), old == before.end() ? fresh : *old);
    }
    group_of_rule_[i] = number(static_cast<std::size_t>(found - groups_.begin()));
  }
  for (std::size_t i = 0; i < groups_.size(); ++i)
    if (groups_[i].told != 0 && !groups_[i].silent) heard_.push_back(number(i));
}

void Freshness::restore(Id id, const FreshnessRecord& record) {
  const Subject& subject = record.subject;
  if (id >= kMostSubjects || subjects_.holds(id)) return;
  if (subject.host.size() > kMaxName || subject.service.size() > kMaxName) return;
  if (subjects_.find(subject.host, subject.service)) return;
  subjects_.insert_at(id, subject.host, subject.service);
  take_slot(id);
  Slot& slot = slots_[id];
  slot.standing = record.standing;
  slot.generation = static_cast<std::uint8_t>(generation_ - 1);
  if (!record.runs.empty()) runs_[id] = record.runs;
}

void Freshness::restore(const EvenClock& clock, Second down_since) {
  clock_ = clock;
  down_since_ = down_since;
}

void Freshness::restore(const GroupRecord& record) {
  for (Group& group : groups_) {
    if (group.name != record.name) continue;
    group.told = record.told;
    group.silent = record.told != 0;
  }
}

void Freshness::start(Instant now) {
  read_clock(now);
  started_ = since_ = clock_.now().even;
  begin_sweep();
}

void Freshness::replace(std::vector<FreshnessEntry> entries, Instant now) {
  read_clock(now);
  entries_ = std::move(entries);
  build_rules();
  begin_sweep();
}

// Everything is to be looked at again, a little in each step; until then by whoever needs it.
void Freshness::begin_sweep() {
  ++generation_;
  sweep_ = 0;
  sweep_entries_ = 0;
  for (Group& group : groups_) group.late = 0;
}

// Of globs the hosts are known by what arrives.
std::size_t Freshness::sweep_entry() {
  const FreshnessEntry& entry = entries_[sweep_entries_++];
  if (is_literal(entry.host))
    for (const std::string& service : entry.expect) await(entry.host, service);
  return 1 + entry.expect.size();
}

void Freshness::read_clock(Instant now) {
  if (!clock_.read(now)) return;
  since_ = clock_.now().even;
  begin_sweep();
}

std::uint32_t Freshness::rule_of(std::string_view host, std::string_view service) const {
  std::uint32_t found = kNoRule;
  if (auto own = by_host_.find(std::string(host)); own != by_host_.end())
    for (std::uint32_t rule : own->second)
      if (rule < found && takes_service(entries_[rule], service)) found = rule;
  for (std::uint32_t rule : by_glob_) {
    if (rule >= found) break;
    if (glob_match(entries_[rule].host, host) && takes_service(entries_[rule], service))
      found = rule;
  }
  return found;
}

const Expectation& Freshness::expectation(const Slot& slot) const {
  return slot.rule == kNoRule ? bare_ : rules_[slot.rule];
}

std::uint32_t Freshness::group_index(const Slot& slot) const {
  return slot.rule == kNoRule ? kNoRule : group_of_rule_[slot.rule];
}

Freshness::Group* Freshness::group_of(const Slot& slot) {
  const std::uint32_t index = group_index(slot);
  return index == kNoRule ? nullptr : &groups_[index];
}

Freshness::Id Freshness::add(std::string_view host, std::string_view service) {
  const Id id = subjects_.insert(host, service);
  take_slot(id);
  return id;
}

void Freshness::take_slot(Id id) {
  if (id >= slots_.size()) slots_.resize(id + 1);
  slots_[id] = Slot{};
  slots_[id].used = true;
  slots_[id].generation = generation_;
  ++counts_[0];
}

std::optional<Freshness::Id> Freshness::known(std::string_view host, std::string_view service) {
  if (host.size() > kMaxName || service.size() > kMaxName) return std::nullopt;
  if (auto id = subjects_.find(host, service)) {
    if (slots_[*id].generation != generation_) refresh(*id);
    return id;
  }
  if (subjects_.size() >= most_) {
    ++unwatched_;
    return std::nullopt;
  }
  const Id id = add(host, service);
  slots_[id].rule = rule_of(host, service);
  await_on(host);
  return id;
}

void Freshness::await_on(std::string_view host) {
  if (auto own = by_host_.find(std::string(host)); own != by_host_.end())
    for (std::uint32_t rule : own->second)
      for (const std::string& service : entries_[rule].expect) await(host, service);
  for (std::uint32_t rule : awaiting_) {
    if (!glob_match(entries_[rule].host, host)) continue;
    for (const std::string& service : entries_[rule].expect) await(host, service);
  }
}

void Freshness::await(std::string_view host, const std::string& service) {
  if (service.size() > kMaxName || subjects_.find(host, service)) return;
  if (subjects_.size() >= most_) {
    ++unwatched_;
    return;
  }
  const Id id = add(host, service);
  slots_[id].rule = rule_of(host, service);
  expectation(slots_[id]).await(slots_[id].standing, clock_.now());
  rest(id);
  awaited_.push_back(id);
}

bool Freshness::is_awaited(const Slot& slot, std::string_view service) const {
  if (slot.rule == kNoRule) return false;
  const auto& expect = entries_[slot.rule].expect;
  return std::find(expect.begin(), expect.end(), service) != expect.end();
}

// By the rules and the clock as they are now. One that nobody awaits any more is left alone.
void Freshness::refresh(Id id) {
  Slot& slot = slots_[id];
  slot.generation = generation_;
  slot.late = false;
  slot.rule = rule_of(subjects_.host(id), subjects_.service(id));
  const bool hung = slot.standing.told != 0 && expectation(slot).promise().run_limit > Duration{};
  const bool awaited = slot.standing.reported || hung || runs_.contains(id) ||
                       is_awaited(slot, subjects_.service(id));
  if (!awaited) slot.rule = kNoRule;
  expectation(slot).renew(slot.standing, clock_.now());
  if (slot.standing.due == kNever) slot.standing.told = 0;
  // Heard since it was called silent, though the run before this one could not say so any more.
  if (Group* group = group_of(slot); group && slot.standing.reported) {
    const bool spoke = group->silent && slot.standing.heard > group->told;
    if (spoke) hear(group_index(slot), slot.standing.heard);
    group->heard = std::max(group->heard, slot.standing.heard);
  }
  keep_oldest_run(id);
  rest(id);
  await_on(subjects_.host(id));
}

void Freshness::hear(std::uint32_t index, Second at) {
  Group& group = groups_[index];
  group.heard = at;
  if (!group.silent) return;
  group.silent = false;
  group.recovered = clock_.now().even;
  heard_.push_back(index);
}

void Freshness::hear(const Slot& slot) {
  if (group_of(slot)) hear(group_index(slot), clock_.now().even);
}

bool Freshness::is_run(Id id, std::string_view run) const {
  const auto runs = runs_.find(id);
  return runs != runs_.end() && std::any_of(runs->second.begin(), runs->second.end(),
                                            [&](const FreshnessRun& r) { return r.id == run; });
}

std::optional<FreshnessChange> Freshness::report(const Report& report, Instant now) {
  read_clock(now);
  const auto id = known(report.host, report.service);
  if (!id) return std::nullopt;
  Slot& slot = slots_[*id];
  if (!slot.standing.reported) slot.rule = rule_of(report.host, report.service);
  hear(slot);
  FreshnessChange change{*id, slot.standing, {}, runs_of(*id)};
  const FreshState before = slot.state;
  const Second began_by = slot.standing.reported ? slot.standing.base : 0;
  const bool newest =
      expectation(slot).report(slot.standing, report.time, report.ttl, clock_.now());
  const Second over = newest ? slot.standing.base : began_by;
  if (is_run(*id, report.run)) {
    end_runs(*id, [&](const FreshnessRun& run) { return run.id == report.run; });
  } else {
    end_runs(*id, [&](const FreshnessRun& run) { return run.began <= over; });
  }
  if (newest) set_late(slot, false);
  rest(*id);
  if (before == FreshState::none && slot.state == FreshState::none) return std::nullopt;
  change.after = slot.standing;
  return change;
}

std::optional<FreshnessChange> Freshness::begin_run(const Report& announced, Instant now) {
  read_clock(now);
  if (announced.run.size() > kMaxId) return std::nullopt;
  const auto id = known(announced.host, announced.service);
  if (!id || is_run(*id, announced.run)) return std::nullopt;
  Slot& slot = slots_[*id];
  if (!slot.standing.reported) slot.rule = rule_of(announced.host, announced.service);
  hear(slot);
  if (expectation(slot).promise().run_limit == Duration{}) return std::nullopt;
  FreshnessChange change{*id, slot.standing, {}, runs_of(*id)};
  if (slot.standing.seen == 0) expectation(slot).await(slot.standing, clock_.now());
  Standing moment;
  (void)bare_.report(moment, announced.time, {}, clock_.now());
  // It is read only now, and what ended it, or came after it, was read before: it is over.
  if (slot.standing.reported && moment.base <= slot.standing.base) return std::nullopt;
  std::vector<FreshnessRun>& runs = runs_[*id];
  if (runs.size() == kMaxRuns) runs.erase(runs.begin());
  runs.push_back({std::string(announced.run), moment.base});
  keep_oldest_run(*id);
  rest(*id);
  change.after = slot.standing;
  return change;
}

bool Freshness::take_back(const FreshnessChange& change) {
  if (!subjects_.holds(change.id)) return false;
  Slot& slot = slots_[change.id];
  if (slot.standing != change.after) return false;
  slot.standing = change.before;
  runs_.erase(change.id);
  if (!change.runs.empty()) runs_[change.id] = change.runs;
  if (slot.generation == generation_) rest(change.id);
  return true;
}

void Freshness::take_back(const FreshnessNews& news) {
  if (news.group.name.empty()) {
    (void)take_back(news.change);
    return;
  }
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    Group& group = groups_[i];
    if (group.name != news.group.name || group.told != news.group.told) continue;
    group.told = news.told_before;
    if (news.kind == FreshnessNews::Kind::group_silent) group.silent = false;
    if (news.kind == FreshnessNews::Kind::group_heard && !group.silent) heard_.push_back(i);
  }
}

FreshnessRecord Freshness::record(Id id) const {
  return {subjects_.subject(id), slots_[id].standing, runs_of(id)};
}

std::vector<FreshnessRun> Freshness::runs_of(Id id) const {
  const auto runs = runs_.find(id);
  return runs == runs_.end() ? std::vector<FreshnessRun>{} : runs->second;
}

std::vector<GroupRecord> Freshness::groups_told() const {
  std::vector<GroupRecord> told;
  for (const Group& group : groups_)
    if (group.told != 0) told.push_back({group.name, group.told});
  return told;
}

std::vector<Freshness::Id> Freshness::take_awaited() { return std::exchange(awaited_, {}); }

}  // namespace checkrelay
