#include "spool/desk.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr LaneMask kAnyLane = ~LaneMask{0};
constexpr std::size_t kMaxIdBytes = 64;
constexpr Seq kFoldLag = 4096;         // records that a start may have to feed again
constexpr std::size_t kIdsATurn = 64;  // examined for their age, beside four for each that came

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

Result<void> Desk::restore() {
  read_everything();
  if (!store_.failed()) return {};
  store_.begin(Sync::now);  // brings in order what can be brought
  if (auto ok = store_.commit(); !ok) return ok;
  slots_ = {};
  read_everything();
  if (store_.failed()) return fail(Errc::unavailable, "the journal cannot be read");
  return {};
}

void Desk::read_everything() {
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
  take_store_reports();
  read_notes();
  feed_log();
}

void Desk::read_notes() {
  notes_.restore();
  take_note_reports();
}

void Desk::take_note_reports() {
  for (std::string& report : notes_.take_reports()) reports_.push_back(std::move(report));
}

void Desk::take_store_reports() {
  for (std::string& report : store_.take_reports()) reports_.push_back(std::move(report));
}

void Desk::restore_lane(const LaneRow& row) {
  if (row.lane >= kMaxLanes) return;
  auto& slot = slots_[row.lane];
  slot = std::make_unique<Slot>();
  slot->name = row.name;
  slot->lane = Lane(row.saved, options_.lane);
  slot->saved_folded = row.saved.folded;
  slot->paused = row.paused;
  AsideQuery query{false, row.lane, 0, 1024};
  for (;;) {
    const auto rows = store_.asides(query);
    for (const AsideRow& a : rows) {
      const Batch batch(a.seq, a.seq, a.frame);
      if (batch.records().empty()) {
        reports_.push_back(fmt::format(
            "destination {}: record {}, which waited by itself, is damaged", row.name, a.seq));
        continue;
      }
      slot->lane.restore_aside(batch.records().front().header, a.tries, a.first_unknown);
    }
    if (rows.size() < query.limit) break;
    query.after = rows.back().seq;
  }
}

// A part is kept free for what makes room: settlements, and the write-ahead log.
bool Desk::has_room(std::size_t bytes) {
  const std::uint64_t reserve = std::min<std::uint64_t>(options_.max_bytes / 8, 16U << 20);
  full_ =
      store_.short_of_room() || room_.used + staged_bytes_ + bytes > options_.max_bytes - reserve;
  return !full_;
}

Result<std::vector<Stored>> Desk::stage(std::vector<Record>& records, std::vector<Note> notes) {
  if (auto ok = NoteBook::check(notes); !ok) return tl::unexpected(ok.error());
  std::size_t bytes = 0;
  for (const Record& r : records) {
    if (r.id.empty() || r.id.size() > kMaxIdBytes)
      return fail(Errc::invalid, fmt::format("id: {} is not 1-64 bytes", quoted(r.id)));
    bytes += size_of(r);
  }
  const bool room = records.empty() ? !store_.short_of_room() : has_room(bytes);
  if (!room) return fail(Errc::full, "the queue is full");
  store_.begin(Sync::now);
  notes_.stage(notes);
  std::vector<Stored> stored;
  stored.reserve(records.size());
  for (const Record& r : records) stored.push_back(add(r));
  return stored;
}

Stored Desk::add(const Record& record) {
  if (record.id_given) {
    ++staged_ids_;
    const Duration window = kSameIdWindow + jumps_.ahead_at_most();
    if (auto first = store_.remember(record.id, next_seq_, record.received, window))
      return {*first, true};
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

bool Desk::settlements_wait() const {
  return !asides_.empty() || trail_.changed() ||
         std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) {
           return slot && (slot->lane.changed() || slot->pause_changed);
         });
}

// A start would have to feed more records again than it should.
bool Desk::lagging() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) {
    return slot && slot->lane.folded() > slot->saved_folded + kFoldLag;
  });
}

void Desk::write_trail() {
  for (const TrailRow& row : full_trail_) store_.save_trail(row);
  if (trail_.changed()) store_.save_trail(trail_.sealed());
}

bool Desk::to_save(const Slot& slot, bool every_lane) {
  return every_lane || slot.pause_changed || slot.lane.changed() ||
         slot.lane.folded() > slot.saved_folded + kFoldLag;
}

void Desk::write_staged() {
  std::uint64_t start = appended_;
  for (OpenBatch& b : staged_) {
    b.row.at = now_.wall;
    b.row.start = start;
    start += b.data.size();
    store_.append(b.row, b.data);
  }
  notes_.write();
}

void Desk::write_settled(bool every_lane) {
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
      store_.save_lane({i, slot->name, slot->lane.save(), slot->paused});
  }
  write_trail();
}

void Desk::save_all() { (void)write(); }

// A turn may have been written in parts (lanes()): what failed in any of them failed for the whole.
Result<void> Desk::commit(bool probe, bool settlements) {
  const auto earlier = std::exchange(turn_error_, std::nullopt);
  Result<void> ok;
  owed_ = owed_ || something_staged();
  if (!probe && !owed_ && !trouble_.empty()) {
    ok = fail(Errc::unavailable, trouble_);
  } else if (something_staged() && !settlements && !lagging()) {
    ok = write_turn(Scope::staged);
  } else if (something_staged() || settlements_wait()) {
    ok = write_turn(Scope::settled);
  }
  owed_ = false;
  turn_error_.reset();
  if (earlier) return tl::unexpected(*earlier);
  return ok;
}

Result<void> Desk::write() { return write_turn(Scope::every_lane); }

// After trouble it is unknown which rows of lanes are on disk: all are written.
Result<void> Desk::write_turn(Scope scope) {
  if (!trouble_.empty()) scope = Scope::every_lane;
  // A settlement that is lost with the power is a result delivered twice, which the promise allows;
  // an upstream on a fast line would otherwise wait for the disk all the time.
  store_.begin(owed_ || scope == Scope::every_lane ? Sync::now : Sync::later);
  if (store_.renewed() != seen_renewed_) {
    start_over();
    scope = Scope::every_lane;
  }
  notes_.look_back();
  write_staged();
  if (scope != Scope::staged) {
    write_settled(scope == Scope::every_lane);
    prune();  // goes by cursors that are stored with it
  }
  if (staged_ids_ > 0) store_.sweep_ids(kIdsATurn + 4 * staged_ids_, ago(kSameIdWindow));
  auto ok = store_.commit();
  if (ok) {
    committed(scope);
  } else {
    failed_commit(ok.error());
  }
  return ok;
}

// The database was damaged, and what could be read of it is in a new one. What the lanes know is
// right all the same, and so is the key; a record that waits and is not there any more is found out
// when its turn comes, one that is dead never would be. Done again until it is committed.
void Desk::start_over() {
  take_store_reports();
  cache_.clear();
  appended_ = store_.appended();
  store_.set_hash_key(hash_key_);
  read_notes();
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    if (!slots_[i]) continue;
    slots_[i]->saved_folded = 0;
    slots_[i]->lane.store_anew();
    write_off_dead(i);
  }
}

// What was staged is forgotten (its producers hear of it); what the lanes know is kept and written
// the next time.
void Desk::failed_commit(const Error& error) {
  ++failed_commits_;
  turn_error_ = error;
  trouble_ = error.what;
  if (error.code == Errc::full) full_ = true;
  staged_.clear();
  staged_bytes_ = staged_ids_ = 0;
  notes_.failed();
}

void Desk::settled(bool every_lane) {
  asides_.clear();
  full_trail_.clear();
  trail_.mark_saved();
  if (trail_.full()) trail_.next();
  for (const auto& slot : slots_) {
    if (!slot) continue;
    if (to_save(*slot, every_lane)) slot->saved_folded = slot->lane.folded();
    slot->lane.mark_saved();
    slot->pause_changed = false;
  }
}

void Desk::committed(Scope scope) {
  ++commits_;
  seen_renewed_ = store_.renewed();
  trouble_.clear();
  if (scope != Scope::staged) settled(scope == Scope::every_lane);
  std::vector<OpenBatch> batches = std::exchange(staged_, {});
  staged_bytes_ = staged_ids_ = 0;
  notes_.committed();
  take_note_reports();
  room_ = store_.room();
  const bool reopened = std::exchange(seen_reopened_, store_.reopened()) != store_.reopened();
  for (OpenBatch& b : batches) {
    appended_ += b.data.size();
    auto batch =
        std::make_shared<Batch>(b.row.first, b.row.last, std::move(b.data), Batch::Origin::memory);
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
