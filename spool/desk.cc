#include "spool/desk.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr LaneMask kAnyLane = ~LaneMask{0};
constexpr std::size_t kMaxIdBytes = 64;
constexpr Seq kFoldLag = 4096;  // records that a start may have to feed again

std::uint64_t hash_of(const std::string& key, const std::string& subject) {
  std::uint64_t hash = 0;
  static_assert(sizeof hash == crypto_shorthash_BYTES);
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash),
                   reinterpret_cast<const unsigned char*>(subject.data()), subject.size(),
                   reinterpret_cast<const unsigned char*>(key.data()));
  return hash;
}

std::size_t size_of(const Record& r) { return r.body.size() + r.id.size() + 40; }

}  // namespace

void Desk::restore() {
  hash_key_ = store_.hash_key();
  hash_key_.resize(crypto_shorthash_KEYBYTES);
  for (const LaneRow& row : store_.lanes()) restore_lane(row);
  std::optional<Seq> least;
  for (const auto& slot : slots_)
    if (slot) least = std::min(least.value_or(slot->lane.folded()), slot->lane.folded());
  const auto last = store_.log_row_of(~Seq{0} >> 1);
  const Seq end = last ? last->last : 0;
  fed_ = std::min(least.value_or(end), end);
  next_seq_ = std::max(next_seq_, end + 1);
  for (const auto& slot : slots_)
    if (slot) next_seq_ = std::max(next_seq_, slot->lane.folded() + 1);
  appended_ = store_.appended();
  trail_ = TrailWriter(store_.newest_trail() + 1);
  room_ = store_.room();
  seen_reopened_ = store_.reopened();
  seen_renewed_ = store_.renewed();
  feed_log();
}

void Desk::restore_lane(const LaneRow& row) {
  if (row.lane >= kMaxLanes) return;
  auto& slot = slots_[row.lane];
  slot = std::make_unique<Slot>();
  slot->name = row.name;
  slot->lane = Lane(row.saved, options_.lane);
  slot->saved_folded = row.saved.folded;
  AsideQuery query{false, row.lane, 0, 1024};
  for (;;) {
    const auto rows = store_.asides(query);
    for (const AsideRow& a : rows) {
      const Batch batch(a.seq, a.seq, a.frame);
      if (batch.records().empty()) continue;
      slot->lane.restore_aside(batch.records().front().header, a.tries, a.first_unknown);
    }
    if (rows.size() < query.limit) break;
    query.after = rows.back().seq;
  }
}

std::optional<LaneId> Desk::lane_for(const std::string& name) {
  std::optional<LaneId> unused, retired;
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    const auto& slot = slots_[i];
    if (slot && slot->name == name) return i;
    if (!slot && !unused) unused = i;
    if (!slot || slot->active || retired) continue;
    LaneStats stats;
    slot->lane.fill(stats);
    if (stats.pending + stats.in_flight + stats.dead == 0) retired = i;
  }
  const auto chosen = unused ? unused : retired;
  if (!chosen) return std::nullopt;
  LaneSaved saved;
  saved.cursor = saved.folded = fed_;
  slots_[*chosen] = std::make_unique<Slot>();
  slots_[*chosen]->name = name;
  slots_[*chosen]->lane = Lane(saved, options_.lane);
  return chosen;
}

Result<std::vector<LaneId>> Desk::lanes(
    const std::vector<std::pair<std::string, LaneOptions>>& destinations) {
  for (const auto& slot : slots_)
    if (slot) slot->active = false;
  std::vector<LaneId> ids;
  for (const auto& [name, options] : destinations) {
    const auto id = lane_for(name);
    if (!id)
      return fail(Errc::full, fmt::format("more than {} destinations, those that still hold "
                                          "records counted in",
                                          kMaxLanes));
    slots_[*id]->active = true;
    slots_[*id]->options = options;
    slots_[*id]->lane.configure(options);
    ids.push_back(*id);
  }
  if (auto ok = write(); !ok) return tl::unexpected(ok.error());
  return ids;
}

// A part is kept free for what makes room: settlements, and the write-ahead log.
bool Desk::has_room(std::size_t bytes) {
  const std::uint64_t reserve = std::min<std::uint64_t>(options_.max_bytes / 8, 16U << 20);
  full_ =
      store_.short_of_room() || room_.used + staged_bytes_ + bytes > options_.max_bytes - reserve;
  return !full_;
}

Result<std::vector<Stored>> Desk::stage(std::vector<Record>& records) {
  std::size_t bytes = 0;
  for (const Record& r : records) {
    if (r.id.empty() || r.id.size() > kMaxIdBytes)
      return fail(Errc::invalid, fmt::format("id: {} is not 1-64 bytes", quoted(r.id)));
    bytes += size_of(r);
  }
  if (!has_room(bytes)) return fail(Errc::full, "the queue is full");
  store_.begin();
  std::vector<Stored> stored;
  stored.reserve(records.size());
  for (const Record& r : records) stored.push_back(add(r));
  return stored;
}

Stored Desk::add(const Record& record) {
  if (record.id_given) {
    ++staged_ids_;
    if (auto first = store_.remember(record.id, next_seq_, record.received)) return {*first, true};
  }
  if (staged_.empty() || staged_.back().data.size() + size_of(record) > options_.batch_bytes)
    close_batch();
  OpenBatch& batch = staged_.back();
  if (batch.data.empty()) batch.row.first = next_seq_;
  batch.row.last = next_seq_;
  batch.row.lanes |= record.lanes;
  append_frame(batch.data, next_seq_, hash_of(hash_key_, record.subject), record);
  staged_bytes_ += size_of(record);
  return {next_seq_++, false};
}

void Desk::close_batch() {
  if (!staged_.empty() && staged_.back().data.empty()) return;
  staged_.emplace_back();
  staged_.back().data.reserve(4096);
}

bool Desk::changed() const {
  if (!staged_.empty() || staged_ids_ > 0 || !asides_.empty() || trail_.changed()) return true;
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot && slot->lane.changed(); });
}

void Desk::write_trail() {
  for (const TrailRow& row : full_trail_) store_.save_trail(row);
  if (trail_.changed()) store_.save_trail(trail_.sealed());
}

bool Desk::to_save(const Slot& slot, bool every_lane) {
  return every_lane || slot.lane.changed() || slot.lane.folded() > slot.saved_folded + kFoldLag;
}

void Desk::write_changes(bool every_lane) {
  std::uint64_t start = appended_;
  for (OpenBatch& b : staged_) {
    b.row.at = now_.wall;
    b.row.start = start;
    start += b.data.size();
    store_.append(b.row, b.data);
  }
  for (const auto& [key, row] : asides_) {
    if (row) {
      store_.save_aside(*row);
    } else {
      store_.erase_aside(key.first, key.second);
    }
  }
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    const Slot* slot = slots_[i].get();
    if (slot != nullptr && to_save(*slot, every_lane))
      store_.save_lane({i, slot->name, slot->lane.save()});
  }
  write_trail();
}

void Desk::save_all() { (void)write(); }

// A turn may have been written in parts (lanes()): what failed in any of them failed for the whole.
Result<void> Desk::commit() {
  const auto earlier = std::exchange(turn_error_, std::nullopt);
  Result<void> ok;
  if (changed()) ok = write_turn(false);
  turn_error_.reset();
  if (earlier) return tl::unexpected(*earlier);
  return ok;
}

Result<void> Desk::write() { return write_turn(true); }

Result<void> Desk::write_turn(bool every_lane) {
  store_.begin();
  if (store_.renewed() != seen_renewed_) start_over();
  write_changes(every_lane);
  prune();
  auto ok = store_.commit();
  if (ok) {
    committed(every_lane);
  } else {
    failed_commit(ok.error());
  }
  return ok;
}

// The database was damaged and has been put aside: what waited is in the file that was moved, not
// here.
void Desk::start_over() {
  seen_renewed_ = store_.renewed();
  asides_.clear();
  cache_.clear();
  appended_ = 0;
  hash_key_ = store_.hash_key();
  LaneSaved saved;
  saved.cursor = saved.folded = fed_ =
      staged_.empty() ? next_seq_ - 1 : staged_.front().row.first - 1;
  for (const auto& slot : slots_) {
    if (!slot) continue;
    slot->lane = Lane(saved, options_.lane);
    slot->lane.configure(slot->options);
    slot->saved_folded = 0;
  }
}

// What was staged is forgotten (its producers hear of it); what the lanes know is kept and written
// the next time.
void Desk::failed_commit(const Error& error) {
  turn_error_ = error;
  trouble_ = error.what;
  if (error.code == Errc::full) full_ = true;
  staged_.clear();
  staged_bytes_ = staged_ids_ = 0;
}

void Desk::committed(bool every_lane) {
  ++commits_;
  trouble_.clear();
  asides_.clear();
  full_trail_.clear();
  trail_.mark_saved();
  if (trail_.full()) trail_.next();
  for (const auto& slot : slots_) {
    if (!slot) continue;
    if (to_save(*slot, every_lane)) slot->saved_folded = slot->lane.folded();
    slot->lane.mark_saved();
  }
  std::vector<OpenBatch> batches = std::exchange(staged_, {});
  staged_bytes_ = staged_ids_ = 0;
  room_ = store_.room();
  const bool reopened = std::exchange(seen_reopened_, store_.reopened()) != store_.reopened();
  for (OpenBatch& b : batches) {
    appended_ += b.data.size();
    auto batch = std::make_shared<Batch>(b.row.first, b.row.last, std::move(b.data));
    remember_batch(batch);
    if (!reopened) feed(*batch);
  }
  if (reopened) feed_log();
}

void Desk::feed(const Batch& batch) {
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    if (!slots_[i] || slots_[i]->lane.rebuilding()) continue;
    Lane& lane = slots_[i]->lane;
    LaneOutput out;
    for (const Framed& r : batch.records())
      if ((r.header.lanes >> i & 1) != 0 && r.header.seq > lane.folded()) lane.feed(r.header, out);
    lane.fed_upto(batch.last());
    take_output(i, out);
  }
  fed_ = std::max(fed_, batch.last());
}

// Feeds what is in the log and not known here: after a start, or after a commit that failed and yet
// was stored.
void Desk::feed_log() {
  while (auto batch = store_.log_after(fed_, kAnyLane)) {
    if (batch->damaged() > 0)
      reports_.push_back(fmt::format("{} damaged records among {}-{} were skipped",
                                     batch->damaged(), batch->first(), batch->last()));
    feed(*batch);
    next_seq_ = std::max(next_seq_, fed_ + 1);
  }
}

}  // namespace checkrelay
