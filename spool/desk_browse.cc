// What operators see of the queue: one row of the log a step, merged by seq with the records kept
// aside.
#include <algorithm>
#include <charconv>

#include "spool/desk.h"

namespace checkrelay {
namespace {

constexpr std::size_t kAsides = 512;      // that are read at once
constexpr std::size_t kStep = 512;        // records looked at in a step, about
constexpr std::size_t kLook = 32 * 1024;  // likewise for a page; some 20 ms
constexpr std::size_t kRowCost = 8;       // what reading a row costs, in records
constexpr LaneMask kAnyLane = ~LaneMask{0};
constexpr Seq kNever = ~Seq{0} >> 1;

using What = BrowseQuery::What;

bool wants(What query, std::string_view what) {
  switch (query) {
    case What::pending:
      return what == "pending" || what == "in_flight";
    case What::dead:
      return what == "dead";
    case What::delivered:
      return what != "pending" && what != "in_flight" && what != "dead";
    case What::any:
      return true;
  }
  return false;
}

bool is_try(Fate fate) {
  return fate == Fate::later || fate == Fate::put_back || fate == Fate::delivered ||
         fate == Fate::dead;
}

bool is_end(Fate fate) {
  return fate == Fate::delivered || fate == Fate::superseded || fate == Fate::expired ||
         fate == Fate::dropped;
}

// When the agent made this id: the first 48 bits are milliseconds since 1970 (RFC 9562
// section 5.7).
std::optional<Wall> time_of_id(std::string_view id) {
  if (id.size() != 36 || id[8] != '-' || id[14] != '7') return std::nullopt;
  const std::string digits = std::string(id.substr(0, 8)) + std::string(id.substr(9, 4));
  std::uint64_t ms = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), ms, 16);
  if (read.ptr != digits.data() + digits.size()) return std::nullopt;
  return Wall(std::chrono::milliseconds(ms));
}

bool complete(const Desk::BrowseJob& job) {
  return job.page.rows.size() >= std::max<std::size_t>(job.query.limit, 1);
}

}  // namespace

bool Desk::wanted(const BrowseJob& job, const Framed& record) const {
  const BrowseQuery& q = job.query;
  if (record.header.seq <= q.after) return false;
  if (q.seq && *q.seq != record.header.seq) return false;
  if (!q.id.empty() && q.id != record.id) return false;
  return !q.match || q.match(std::string(record.body));
}

std::vector<TrailEntry> Desk::entries_of(Seq low, Seq high) {
  std::vector<TrailEntry> all;
  const auto take = [&](const TrailRow& row) {
    for (TrailEntry& e : read_trail(row.data))
      if (e.seq >= low && e.seq <= high) all.push_back(std::move(e));
  };
  for (const TrailRow& row : store_.trail_of(low, high))
    if (row.number < trail_.number() - full_trail_.size()) take(row);
  for (const TrailRow& row : full_trail_) take(row);
  take(trail_.sealed());
  return all;
}

void Desk::emit(BrowseJob& job, const Framed& record, LaneId lane, const AsideRow* aside,
                const std::vector<TrailEntry>& trail) {
  Browsed row;
  row.seq = record.header.seq;
  row.lane = lane;
  bool ended = false;
  for (const TrailEntry& e : trail) {
    if (e.seq != row.seq || e.lane != lane) continue;
    if (ended && is_end(e.fate)) continue;  // told again after a start that had to catch up
    row.story.push_back({e.at, lane, to_string(e.fate), e.answer});
    row.tries += is_try(e.fate) ? 1U : 0U;
    if (!e.answer.empty()) row.answer = e.answer;
    ended = is_end(e.fate);
    row.what = ended ? (e.fate == Fate::dropped ? "expired" : to_string(e.fate)) : "";
  }
  const auto place = slots_[lane]->lane.place(record.header);
  if (aside != nullptr && aside->dead) {
    row.what = "dead";
  } else if (place != Lane::Place::finished) {
    row.what = place == Lane::Place::pending     ? "pending"
               : place == Lane::Place::in_flight ? "in_flight"
                                                 : "superseded";
  } else if (row.what.empty()) {
    row.what = "finished";  // its story has been forgotten
  }
  if (!wants(job.query.what, row.what)) return;
  if (aside != nullptr) row.tries = std::max(row.tries, aside->tries + (aside->dead ? 1U : 0U));
  if (row.answer.empty() && aside != nullptr) row.answer = aside->answer;
  row.id = record.id;
  row.received = record.header.received;
  row.body = record.body;
  if (job.query.seq || !job.query.id.empty()) {
    row.story.insert(row.story.begin(), {record.header.received, lane, "stored", {}});
  } else {
    row.story.clear();
  }
  job.page.rows.push_back(std::move(row));
}

// Everything that one step looks at, by seq and lane: the log's records, and what is kept aside in
// their range.
struct Desk::BrowseStep {
  struct Item {
    const Framed* record = nullptr;
    LaneId lane = 0;
    const AsideRow* aside = nullptr;
  };
  BatchPtr batch{};
  std::vector<AsideRow> rows{};
  std::vector<std::unique_ptr<Batch>> copies{};
  std::vector<Item> items{};
  Seq upto = 0;
};

void Desk::gather_asides(const BrowseJob& job, bool dead, BrowseStep& step) {
  auto rows = store_.asides({dead, job.query.lane, job.from, kAsides});
  if (rows.size() == kAsides) step.upto = std::min(step.upto, rows.back().seq - 1);
  std::move(rows.begin(), rows.end(), std::back_inserter(step.rows));
}

void Desk::gather(const BrowseJob& job, BrowseStep& step) {
  const bool with_log = job.query.what != What::dead;
  const LaneMask lanes = job.query.lane ? LaneMask{1} << *job.query.lane : kAnyLane;
  if (with_log) step.batch = batch_after(std::max(job.from, job.skip_log), lanes);
  step.upto = step.batch ? step.batch->last() : kNever;
  gather_asides(job, true, step);
  if (job.query.what != What::dead) gather_asides(job, false, step);
  for (const AsideRow& row : step.rows) {
    step.copies.push_back(std::make_unique<Batch>(row.seq, row.seq, row.frame));
    const auto& records = step.copies.back()->records();
    if (!records.empty()) step.items.push_back({&records.front(), row.lane, &row});
  }
  const std::size_t asides = step.items.size();
  const auto is_aside = [&](Seq seq, LaneId lane) {
    return std::any_of(
        step.items.begin(), step.items.begin() + static_cast<std::ptrdiff_t>(asides),
        [&](const auto& i) { return i.lane == lane && i.record->header.seq == seq; });
  };
  if (!step.batch) return;
  for (const Framed& r : step.batch->records())
    for (LaneId i = 0; i < kMaxLanes; ++i)
      if ((r.header.lanes >> i & 1) != 0 && wanted(job, r) && !is_aside(r.header.seq, i))
        step.items.push_back({&r, i, nullptr});
}

void Desk::show(BrowseJob& job, BrowseStep& step) {
  std::sort(step.items.begin(), step.items.end(), [](const auto& a, const auto& b) {
    return std::pair(a.record->header.seq, a.lane) < std::pair(b.record->header.seq, b.lane);
  });
  const bool plain = job.query.what == What::pending || job.query.what == What::dead;
  std::vector<TrailEntry> trail;
  if (!step.items.empty() && (!plain || job.query.seq || !job.query.id.empty()))
    trail = entries_of(step.items.front().record->header.seq, step.items.back().record->header.seq);
  std::stable_sort(trail.begin(), trail.end(),
                   [](const auto& a, const auto& b) { return a.seq < b.seq; });
  for (const auto& item : step.items) {
    const Seq seq = item.record->header.seq;
    if (seq <= job.from || seq > step.upto || !wanted(job, *item.record)) continue;
    if (!slots_[item.lane] || (job.query.lane && *job.query.lane != item.lane)) continue;
    if (complete(job) && job.page.rows.back().seq != seq) {
      job.page.more = true;
      job.page.next = job.page.rows.back().seq;
      return;
    }
    const auto before = [](const TrailEntry& e, Seq s) { return e.seq < s; };
    const auto first = std::lower_bound(trail.begin(), trail.end(), seq, before);
    const auto last = std::lower_bound(first, trail.end(), seq + 1, before);
    emit(job, *item.record, item.lane, item.aside, {first, last});
  }
}

// The end of what was committed before `made`, as the log's own times say: a hint, since clocks
// jump.
Seq Desk::place_by_time(Wall made) {
  const auto oldest = store_.oldest_log();
  if (!oldest || oldest->at >= made) return 0;
  Seq before = oldest->last, behind = fed_ + 1;
  while (before + 1 < behind) {
    const Seq middle = before + (behind - before) / 2;
    const auto row = store_.log_row_of(middle);
    if (!row) return 0;
    if (row->at < made) {
      before = std::max(middle, std::min(row->last, behind - 1));
    } else {
      behind = std::max(row->first, before + 1);
    }
  }
  return before;
}

// Where the search begins; what is finished at its old end is skipped when it is not asked for.
void Desk::begin_browse(BrowseJob& job) {
  job.begun = true;
  job.from = job.query.after;
  if (!job.query.id.empty() && !job.query.seq) job.query.seq = store_.find_id(job.query.id);
  if (job.query.seq) job.from = std::max(job.from, *job.query.seq - 1);
  const auto made = job.query.seq ? std::nullopt : time_of_id(job.query.id);
  job.guided = made && job.query.after == 0;
  if (job.guided) job.from = place_by_time(*made);
  if (job.query.what != What::pending) return;
  Seq least = fed_;
  for (LaneId i = 0; i < kMaxLanes; ++i)
    if (slots_[i] && (!job.query.lane || *job.query.lane == i))
      least = std::min(least, slots_[i]->lane.cursor());
  job.skip_log = least;
}

// True where there is nothing behind, or nothing more is wanted.
bool Desk::browse_some(BrowseJob& job) {
  BrowseStep step;
  gather(job, step);
  show(job, step);
  job.from = step.upto;
  job.looked += kRowCost + step.copies.size() + (step.batch ? step.batch->records().size() : 0);
  return job.page.more || step.upto == kNever || (job.query.seq && step.upto >= *job.query.seq);
}

bool Desk::browse(BrowseJob& job) {
  if (!job.begun) begin_browse(job);
  if (job.query.known_place && !job.query.seq && !job.guided) return true;
  const std::size_t enough = job.looked + kStep;
  while (job.looked < enough) {
    const bool end = browse_some(job);
    if (job.guided && !job.page.rows.empty()) return true;
    if (end && !job.guided) return true;
    if (!end && job.looked < kLook) continue;
    if (job.guided && job.query.known_place) return true;
    if (!job.guided) {
      job.page.more = true;
      job.page.next = job.from;
      return true;
    }
    job.guided = false;  // not where it should be: everything is searched
    job.from = job.looked = 0;
  }
  return false;
}

}  // namespace checkrelay
