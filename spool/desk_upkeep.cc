// The desk's housekeeping: everything in bounded steps, so that no acknowledgement waits for it.
#include <fmt/format.h>

#include <algorithm>

#include "spool/desk.h"

namespace checkrelay {
namespace {

constexpr std::size_t kRowsATurn = 16;            // rows of the log that go with one commit
constexpr std::size_t kBytesATurn = 1024 * 1024;  // likewise

}  // namespace

// A lane whose row is behind needs the log from there on, to bring its accounts up to date after a
// start.
Seq Desk::floor() const {
  Seq least = fed_;
  for (const auto& slot : slots_)
    if (slot) least = std::min({least, slot->lane.cursor(), slot->saved_folded});
  return least;
}

// Bytes of finished records that may stay. Under pressure none: refusing a producer is worse than
// forgetting.
std::uint64_t Desk::history_room() {
  if (full_ || room_.used + staged_bytes_ > options_.max_bytes / 5 * 4) return 0;
  return options_.history_bytes;
}

// Drops the oldest row where it is finished and either old or too much. The newest row of all
// stays, for its number.
bool Desk::prune_log(std::size_t& bytes) {
  const auto oldest = store_.oldest_log();
  const Seq finished = floor();
  if (!oldest || oldest->last > finished || oldest->last + 1 >= next_seq_) return false;
  const auto next = store_.log_row_of(finished + 1);
  if (!next || next->first == oldest->first) return false;
  const bool old = oldest->at < ago(options_.history_age);
  if (!old && next->start - oldest->start <= history_room()) return false;
  bytes += std::min<std::uint64_t>(next->start - oldest->start, options_.batch_bytes);
  store_.erase_log(oldest->first);
  return true;
}

bool Desk::prune_trail() {
  const auto oldest = store_.oldest_trail();
  if (!oldest || oldest->number >= trail_.number()) return false;
  const std::uint64_t rows = trail_.number() - oldest->number;
  const bool old = oldest->at < ago(options_.history_age);
  if (!old && rows <= history_room() / 4 / TrailWriter::kRow) return false;
  store_.erase_trail(oldest->number);
  return true;
}

void Desk::prune() {
  more_to_prune_ = false;
  std::size_t rows = 0, bytes = 0;
  const std::size_t most = kBytesATurn + 2 * staged_bytes_;
  while (rows < kRowsATurn + staged_.size() * 2 && bytes < most && prune_log(bytes)) ++rows;
  std::size_t trails = 0;
  while (trails < kRowsATurn + full_trail_.size() * 2 && prune_trail()) ++trails;
  more_to_prune_ = rows >= kRowsATurn || bytes >= most || trails >= kRowsATurn;
}

bool Desk::upkeep(bool idle, bool probe) {
  bool more = false;
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    if (!slots_[i]) continue;
    Lane& lane = slots_[i]->lane;
    if (lane.rebuilding()) {
      step_reindex(i);
      more = more || !store_.failed();
      continue;
    }
    if (lane.surveying()) {
      step_survey(i);
      more = more || !store_.failed();
    }
    LaneOutput out;
    (void)lane.make_room(out);
    take_output(i, out);
    more = more || (idle && lane.changed() && trouble_.empty());  // claims expired some
    if (lane.empty_window() && load_more(i)) more = more || lane.empty_window();
    if (const auto lost = lane.write_off(); lost > 0)
      reports_.push_back(
          fmt::format("destination {}: {} records were lost to damage", slots_[i]->name, lost));
  }
  const bool ill = !trouble_.empty() || store_.failed();
  const bool old_notes = idle && notes_.excess();
  if (old_notes) notes_.grant();
  if (idle && (more_to_prune_ || old_notes || full_ || ill) && (probe || trouble_.empty())) {
    const auto before = room_.used;
    (void)write();  // where the disk was in trouble, this finds out whether it still is
    turn_error_.reset();
    more = (more || more_to_prune_ || notes_.excess() || room_.used < before) && trouble_.empty();
  }
  if (!trouble_.empty()) return false;
  more = store_.tidy(idle) || more;
  room_ = store_.room();
  if (full_) (void)has_room(options_.max_bytes / 16);  // not for a few bytes alone
  return more;
}

JournalStats Desk::stats() const {
  JournalStats s;
  s.bytes = room_.bytes;
  s.full = full_;
  s.commits = commits_;
  s.trouble = trouble_;
  LaneId used = 0;
  for (LaneId i = 0; i < kMaxLanes; ++i)
    if (slots_[i]) used = i + 1;
  s.lanes.resize(used);
  for (LaneId i = 0; i < used; ++i) {
    if (!slots_[i]) continue;
    s.lanes[i].name = slots_[i]->name;
    s.lanes[i].active = slots_[i]->active;
    slots_[i]->lane.fill(s.lanes[i]);
    s.lanes[i].paused = slots_[i]->paused;
    if (trouble_.empty() && !slots_[i]->paused) continue;
    s.lanes[i].claimable = false;
    s.lanes[i].next_due.reset();
  }
  return s;
}

}  // namespace checkrelay
