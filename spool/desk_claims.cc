// The desk's way from the log to a destination and back.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "spool/desk.h"

namespace checkrelay {
namespace {

constexpr LaneMask kAnyLane = ~LaneMask{0};
constexpr std::size_t kCacheBytes = 2U << 20;  // of batches that are likely to be read again
constexpr std::size_t kCacheBatches = 32;
constexpr int kLoads = 256;                   // rows of the log that one claim reads at most
constexpr std::size_t kLoadBytes = 1U << 20;  // likewise, about

constexpr std::size_t kRevives = 2 * kMaxLanes;  // that one step looks at; more than one seq has

void each_once(std::vector<Seq>& seqs) {
  std::sort(seqs.begin(), seqs.end());
  seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
}

constexpr const char* kUnreadable = "the stored record cannot be read";

LaneMask bit(LaneId lane) { return LaneMask{1} << lane; }

}  // namespace

template <typename F>
void Desk::each_lane(std::optional<LaneId> lane, F f) {
  for (LaneId i = 0; i < kMaxLanes; ++i)
    if (slots_[i] && (!lane || *lane == i)) f(i, slots_[i]->lane);
}

void Desk::remember_batch(BatchPtr batch) {
  cache_.push_back(std::move(batch));
  std::size_t bytes = 0;
  for (const auto& b : cache_) bytes += b->bytes();
  while (cache_.size() > 1 && (bytes > kCacheBytes || cache_.size() > kCacheBatches)) {
    bytes -= cache_.front()->bytes();
    cache_.erase(cache_.begin());
  }
}

BatchPtr Desk::batch_after(Seq seq, LaneMask lanes) {
  for (auto it = cache_.rbegin(); it != cache_.rend(); ++it)
    if ((*it)->first() <= seq + 1 && (*it)->last() > seq) return *it;
  auto batch = store_.log_after(seq, lanes);
  if (batch == nullptr) return nullptr;
  if (batch->damaged() > 0)
    reports_.push_back(fmt::format("{} damaged records among {}-{} are lost", batch->damaged(),
                                   batch->first(), batch->last()));
  remember_batch(batch);
  return batch;
}

std::optional<AsideRow> Desk::aside(LaneId lane, Seq seq) {
  auto it = asides_.find({lane, seq});
  return it != asides_.end() ? it->second : store_.aside(lane, seq);
}

std::optional<std::string> Desk::frame_of(LaneId lane, Seq seq) {
  if (auto row = aside(lane, seq)) return std::move(row->frame);
  auto batch = batch_after(seq - 1, kAnyLane);
  const Framed* record = batch ? batch->find(seq) : nullptr;
  if (record == nullptr) return std::nullopt;
  return std::string(record->frame);
}

void Desk::keep_aside(LaneId lane, const AsideChange& change) {
  auto& place = asides_[{lane, change.seq}];
  if (change.what == AsideChange::What::forget) {
    place.reset();
    return;
  }
  asides_.erase({lane, change.seq});
  auto frame = frame_of(lane, change.seq);
  if (!frame) return;  // damaged meanwhile; claim_of() will find that out
  asides_[{lane, change.seq}] = AsideRow{lane,
                                         change.seq,
                                         change.what == AsideChange::What::bury,
                                         change.tries,
                                         change.first_unknown,
                                         change.answer,
                                         std::move(*frame)};
}

void Desk::trail(LaneId lane, const LaneEvent& e) {
  if (trail_.full()) {
    full_trail_.push_back(trail_.sealed());
    trail_.next();
  }
  trail_.add({e.seq, lane, e.fate, now_.wall, e.answer});
}

void Desk::take_output(LaneId lane, LaneOutput& out) {
  for (const LaneEvent& e : out.events) trail(lane, e);
  for (const AsideChange& change : out.aside) keep_aside(lane, change);
  out = {};
}

void Desk::settle(LaneId lane, const std::vector<Settlement>& settlements) {
  if (lane >= kMaxLanes || !slots_[lane]) return;
  LaneOutput out;
  for (const Settlement& s : settlements) slots_[lane]->lane.settle(s, now_, out);
  take_output(lane, out);
}

void Desk::free_held(LaneId lane) {
  if (lane < kMaxLanes && slots_[lane]) slots_[lane]->lane.free_held();
}

// False where there is nothing to load now.
bool Desk::load_more(LaneId id) {
  Lane& lane = slots_[id]->lane;
  if (!lane.wants_more()) return false;
  auto batch = batch_after(lane.loaded(), bit(id));
  if (batch == nullptr && store_.failed()) return false;
  if (batch == nullptr) {
    lane.loaded_upto(lane.folded());
    return false;
  }
  load_bytes_ += batch->bytes();
  for (const Framed& r : batch->records())
    if ((r.header.lanes & bit(id)) != 0) lane.load(r.header);
  lane.loaded_upto(batch->last());
  return true;
}

std::optional<Claim> Desk::claim_of(LaneId lane, const Taken& taken) {
  Claim claim;
  claim.seq = taken.seq;
  claim.tries = taken.tries;
  const auto ahead = jumps_.ahead_since(taken.seq);  // ages are told by the present clock
  if (taken.first_unknown != Wall{}) claim.first_unknown = taken.first_unknown + ahead;
  BatchPtr batch;
  if (taken.aside) {
    if (auto row = aside(lane, taken.seq))
      batch = std::make_shared<Batch>(taken.seq, taken.seq, std::move(row->frame));
  } else {
    batch = batch_after(taken.seq - 1, bit(lane));
  }
  const Framed* record = batch ? batch->find(taken.seq) : nullptr;
  if (record == nullptr) return std::nullopt;
  claim.body = record->body;
  claim.received = record->header.received + ahead;
  return claim;
}

std::vector<Claim> Desk::claim(LaneId id, std::size_t records, std::size_t bytes) {
  std::vector<Claim> claims;
  if (id >= kMaxLanes || !slots_[id] || slots_[id]->paused || !trouble_.empty()) return claims;
  Lane& lane = slots_[id]->lane;
  LaneOutput out;
  std::size_t sum = 0;
  load_bytes_ = 0;
  for (int loads = 0; loads <= kLoads && load_bytes_ < kLoadBytes; ++loads) {
    if (claims.size() == records || sum >= bytes) break;
    for (const Taken& t : lane.claim(records - claims.size(), bytes - sum, now_, out, jumps_)) {
      auto claim = claim_of(id, t);
      if (!claim) {
        const auto end = store_.failed() ? Settlement::End::put_back : Settlement::End::expired;
        lane.settle({t.seq, end, {}, false, kUnreadable}, now_, out);
        continue;
      }
      sum += claim->body.size();
      claims.push_back(std::move(*claim));
    }
    if (claims.size() == records || load_more(id)) continue;
    if (!lane.make_room(out)) break;
    take_output(id, out);
  }
  take_output(id, out);
  return claims;
}

void Desk::give_up_dead(const AsideRow& row) {
  LaneOutput out;
  Slot& slot = *slots_[row.lane];
  slot.lane.drop_dead(row.seq, out);
  out.events.front().answer = kUnreadable;
  take_output(row.lane, out);
  reports_.push_back(
      fmt::format("destination {}: record {}, which was dead, is damaged", slot.name, row.seq));
}

// With what is about to be stored.
std::uint64_t Desk::count_dead(LaneId lane) {
  std::uint64_t dead = 0;
  for (const auto& [key, row] : asides_)
    if (key.first == lane && row && row->dead) ++dead;
  AsideQuery query{true, lane, 0, 512};
  for (bool more = true; more;) {
    const auto rows = store_.asides(query);
    for (const AsideRow& row : rows) dead += asides_.count({lane, row.seq}) == 0 ? 1 : 0;
    more = rows.size() == query.limit;
    if (more) query.after = rows.back().seq;
  }
  return dead;
}

// Those that cannot be found any more.
void Desk::write_off_dead(LaneId lane) {
  const auto dead = count_dead(lane);
  if (store_.failed()) return;
  if (const auto lost = slots_[lane]->lane.write_off_dead(dead); lost > 0)
    reports_.push_back(fmt::format("destination {}: {} dead records were lost to damage",
                                   slots_[lane]->name, lost));
}

bool Desk::revive(const AsideRow& row) {
  if (!row.dead || !slots_[row.lane]) return false;
  const Batch batch(row.seq, row.seq, row.frame);
  if (batch.records().empty()) {
    give_up_dead(row);
    return false;
  }
  LaneOutput out;
  slots_[row.lane]->lane.revive(batch.records().front().header, out);
  take_output(row.lane, out);
  return true;
}

std::size_t Desk::retry(std::optional<LaneId> lane, std::vector<Seq> seqs) {
  assert(!seqs.empty());
  owed_ = true;
  each_once(seqs);
  std::size_t n = 0;
  each_lane(lane, [&](LaneId i, Lane&) {
    for (Seq seq : seqs)
      if (auto row = aside(i, seq); row && revive(*row)) ++n;
  });
  return n;
}

bool Desk::retry_some(RetryJob& job) {
  owed_ = true;
  if (job.upto == 0) job.upto = next_seq_;
  const auto rows = store_.asides({true, job.lane, job.after, kRevives});
  for (const AsideRow& row : rows) {
    if (row.seq > job.upto || !slots_[row.lane]) continue;
    const bool room = slots_[row.lane]->lane.has_room_aside();
    job.all = job.all && room;
    if (auto now = room ? aside(row.lane, row.seq) : std::nullopt; now && revive(*now)) ++job.count;
  }
  if (rows.size() < kRevives || rows.back().seq > job.upto) {
    if (job.all) each_lane(job.lane, [&](LaneId i, Lane&) { write_off_dead(i); });
    return true;
  }
  job.after = rows.back().seq - 1;  // the page may end between two lanes of this one
  return false;
}

std::size_t Desk::drop(std::optional<LaneId> only, std::vector<Seq> seqs, const std::string& why) {
  owed_ = true;
  each_once(seqs);
  std::size_t n = 0;
  each_lane(only, [&](LaneId i, Lane& lane) {
    LaneOutput out;
    for (Seq seq : seqs) {
      const auto row = aside(i, seq);
      if (row && row->dead) {
        lane.drop_dead(seq, out);
        ++n;
        continue;
      }
      const auto frame = frame_of(i, seq);
      const Batch batch(seq, seq, frame.value_or(std::string()));
      if (batch.records().empty()) continue;
      const RecordHeader& h = batch.records().front().header;
      if ((h.lanes & bit(i)) != 0 && h.seq <= lane.folded() && lane.drop(h, out)) ++n;
    }
    for (LaneEvent& e : out.events)
      if (e.fate == Fate::dropped) e.answer = why;
    take_output(i, out);
  });
  return n;
}

bool Desk::pause(LaneId id, bool paused) {
  if (id >= kMaxLanes || !slots_[id] || slots_[id]->paused.has_value() == paused) return false;
  slots_[id]->paused.reset();
  if (paused) slots_[id]->paused = now_.wall;
  slots_[id]->pause_changed = owed_ = true;
  return true;
}

// One row of the log goes by a lane that must know which subjects wait in it.
void Desk::step_survey(LaneId id) {
  Lane& lane = slots_[id]->lane;
  auto batch = store_.log_after(lane.survey_from(), bit(id));
  if (batch == nullptr && store_.failed()) return;
  if (batch == nullptr) return lane.surveyed_upto(lane.folded());
  for (const Framed& r : batch->records())
    if ((r.header.lanes & bit(id)) != 0) lane.survey(r.header);
  lane.surveyed_upto(batch->last());
}

// One row of the log goes through the index of a lane that is rebuilding it.
void Desk::step_reindex(LaneId id) {
  Lane& lane = slots_[id]->lane;
  LaneOutput out;
  auto batch = store_.log_after(lane.reindex_from(), bit(id));
  if (batch == nullptr && store_.failed()) return;
  if (batch != nullptr) {
    for (const Framed& r : batch->records())
      if ((r.header.lanes & bit(id)) != 0 && r.header.seq > lane.reindex_from())
        lane.reindex(r.header, out);
    lane.reindexed_upto(batch->last());
  } else {
    lane.reindexed(out);
    lane.fed_upto(fed_);
  }
  take_output(id, out);
}

}  // namespace checkrelay
