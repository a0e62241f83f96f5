#include "agent/flow/freshness_watch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/base/log.h"
#include "agent/config/freshness.h"
#include "agent/flow/freshness_result.h"
#include "agent/policy/freshness_kept.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPiecesATurn = 256;  // some 5 ms where each becomes a result
constexpr Duration kSiteEvery = 60s;       // what a kill can make of "was not running"
constexpr Duration kSiteWithResult = 5s;   // it costs nothing beside another note
constexpr Duration kTellAgain = 5s;

std::vector<FreshnessEntry> entries_of(const std::vector<FreshnessConfig>& configs) {
  std::vector<FreshnessEntry> entries;
  for (const FreshnessConfig& c : configs)
    if (auto entry = freshness_entry(c)) entries.push_back(std::move(*entry));
  return entries;
}

}  // namespace

FreshnessWatch::FreshnessWatch(Journal& journal, Intake& intake, const OutageBooks& outages,
                               const Environment& env)
    : journal_(journal),
      intake_(intake),
      outages_(outages),
      env_(env),
      self_(std::make_shared<FreshnessWatch*>(this)) {}

void FreshnessWatch::configure(const std::vector<FreshnessConfig>& wanted,
                               const std::string& hostname) {
  const Instant now = env_.now();
  const bool same = begun_ && wanted == configs_;
  configs_ = wanted;
  hostname_ = hostname;
  if (same) return;
  if (begun_) {
    engine_.replace(entries_of(wanted), now);
  } else {
    engine_ = Freshness(entries_of(wanted));
    restore();
    engine_.start(now);
    begun_ = true;
    if (engine_.subjects().size() > 0) site_due_ = now.steady;
  }
  note_awaited(now);
}

void FreshnessWatch::restore() {
  std::size_t unreadable = 0;
  journal_.notes(
      [&](std::uint32_t number, std::string_view body) { restore_note(number, body, unreadable); });
  if (unreadable > 0)
    log(Level::error, "freshness: some of what was kept cannot be read, and begins anew",
        {{"notes", unreadable}});
}

void FreshnessWatch::restore_note(std::uint32_t number, std::string_view body,
                                  std::size_t& unreadable) {
  if (number > 0) {
    auto record = decode_subject(body);
    if (!record) return void(++unreadable);
    return engine_.restore(number - 1, *record);
  }
  auto site = decode_site(body);
  if (!site) return void(++unreadable);
  engine_.restore(EvenClock(site->shift, site->last), site->last);
  for (const GroupRecord& group : site->groups) engine_.restore(group);
}

std::string FreshnessWatch::site_note() const {
  KeptSite site;
  site.shift = engine_.clock().shift();
  site.last = engine_.clock().now().even;
  site.groups = engine_.groups_told();
  return encode_site(site);
}

void FreshnessWatch::note_subject(Freshness::Id id, std::vector<Note>& notes) const {
  notes.push_back({id + 1, encode_subject(engine_.record(id))});
}

void FreshnessWatch::note_site(Instant now, std::vector<Note>& notes) {
  notes.push_back({0, site_note()});
  noted_shift_ = engine_.clock().shift();
  site_noted_ = now.steady;
  site_due_ = now.steady + kSiteEvery;
}

void FreshnessWatch::note_awaited(Instant now) {
  std::vector<Note> notes;
  for (const Freshness::Id id : engine_.take_awaited()) note_subject(id, notes);
  const bool moved = site_due_ && engine_.clock().shift() != noted_shift_;
  if (!notes.empty() || moved || (site_due_ && *site_due_ <= now.steady)) note_site(now, notes);
  if (!notes.empty()) journal_.stage({}, std::move(notes), [](const auto&) {});
}

std::optional<FreshnessChange> FreshnessWatch::taken(const CheckResult& r, Instant now,
                                                     std::vector<Note>& notes) {
  if (!begun_ || is_freshness_source(r.check_source)) return std::nullopt;
  const bool idle = configs_.empty() && engine_.subjects().size() == 0;
  if (idle && r.ttl == Duration{}) return std::nullopt;
  const Freshness::Report report{r.subject.host, r.subject.service, r.time, r.ttl, r.id};
  auto change = r.start ? engine_.begin_run(report, now) : engine_.report(report, now);
  if (!change) return std::nullopt;
  note_subject(change->id, notes);
  if (!site_due_ || now.steady - site_noted_ >= kSiteWithResult) note_site(now, notes);
  return change;
}

void FreshnessWatch::not_stored(const FreshnessChange& change, bool noted) {
  if (!engine_.take_back(change)) return;
  env_.kick();
  if (!noted) return;
  std::vector<Note> notes;
  note_subject(change.id, notes);
  journal_.stage({}, std::move(notes), [](const auto&) {});
}

std::optional<Wall> FreshnessWatch::outage_until(const Subject& subject, Wall t) const {
  std::optional<Wall> until;
  for (const auto& [source, book] : outages_.all())
    if (const auto hit = book->find(subject, t))
      if (!until || hit->window.end > *until) until = hit->window.end;
  return until;
}

void FreshnessWatch::tell(std::vector<FreshnessNews> news, Instant now) {
  if (news.empty()) return;
  std::vector<CheckResult> results;
  std::vector<Note> notes;
  for (const FreshnessNews& n : news) {
    results.push_back(result_of(n, configs_, engine_.entries(), hostname_, now.wall));
    if (const auto id = engine_.find(n.record.subject)) note_subject(*id, notes);
  }
  note_site(now, notes);
  intake_.submit(
      std::move(results), std::move(notes), now,
      [self = std::weak_ptr(self_), news = std::move(news)](const std::vector<Outcome>& outcomes) {
        if (auto alive = self.lock()) (*alive)->told(news, outcomes);
      });
}

void FreshnessWatch::told(const std::vector<FreshnessNews>& news,
                          const std::vector<Outcome>& outcomes) {
  bool failed = false;
  for (std::size_t i = outcomes.size(); i-- > 0;) {
    const Outcome& o = outcomes[i];
    if (o.ok) continue;
    if (o.code != Errc::refused && o.code != Errc::invalid) {
      engine_.take_back(news[i]);
      failed = true;
      continue;
    }
    const std::string& group = news[i].group.name;
    log(Level::warn, "freshness: what is overdue cannot be told",
        {{"subject", group.empty() ? to_string(news[i].record.subject) : group},
         {"error", o.error}});
  }
  if (!failed) return;
  const Instant now = env_.now();
  tell_again_ = now.steady + kTellAgain;
  std::vector<Note> notes;  // it may have been noted meanwhile that a group was told
  note_site(now, notes);
  journal_.stage({}, std::move(notes), [](const auto&) {});
  env_.kick();
}

void FreshnessWatch::tick(Instant now) {
  if (!begun_ || stopped_) return;
  if (std::exchange(outages_version_, outages_.version()) != outages_.version())
    engine_.outages_changed();
  std::vector<FreshnessNews> news;
  if (tell_again_ <= now.steady)
    engine_.step(
        now, kPiecesATurn, [this](const Subject& s, Wall t) { return outage_until(s, t); }, news);
  tell(std::move(news), now);
  note_awaited(now);
}

std::optional<Steady> FreshnessWatch::deadline(Instant now) const {
  if (!begun_ || stopped_) return std::nullopt;
  std::optional<Steady> due = engine_.deadline(now);
  if (due) due = std::max(*due, tell_again_);
  return due && site_due_ ? std::min(*due, *site_due_) : due ? due : site_due_;
}

void FreshnessWatch::stop() {
  if (!begun_ || std::exchange(stopped_, true) || !site_due_) return;
  std::vector<Note> notes;
  note_site(env_.now(), notes);
  journal_.stage({}, std::move(notes), [](const auto&) {});
}

bool FreshnessWatch::forget(const Subject& subject) {
  const auto id = engine_.find(subject);
  if (!id) return false;
  engine_.forget(subject);
  journal_.stage({}, {Note{*id + 1, ""}}, [](const auto&) {});
  env_.kick();
  return true;
}

FreshnessStatus FreshnessWatch::status() const {
  FreshnessStatus s;
  s.overdue = engine_.count(FreshState::overdue);
  s.in_outage = engine_.count(FreshState::in_outage);
  s.unseen = engine_.count(FreshState::unseen);
  s.expected = engine_.count(FreshState::ok) + s.unseen + s.overdue + s.in_outage;
  s.unwatched = engine_.unwatched();
  return s;
}

}  // namespace checkrelay
