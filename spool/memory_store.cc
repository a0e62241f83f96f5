#include "spool/memory_store.h"

#include <sodium.h>

namespace checkrelay {

MemoryStore::MemoryStore() : key_(crypto_shorthash_KEYBYTES, '\0') {
  randombytes_buf(key_.data(), key_.size());
}

void MemoryStore::append(const LogRow& row, std::string_view data) {
  log_[row.first] = {row, std::make_shared<Batch>(row.first, row.last, std::string(data))};
  appended_ += data.size();
  bytes_ += data.size();
}

void MemoryStore::erase_log(Seq first) {
  auto it = log_.find(first);
  if (it == log_.end()) return;
  bytes_ -= it->second.batch->bytes();
  log_.erase(it);
}

std::optional<Seq> MemoryStore::remember(const std::string& id, Seq seq, Wall received,
                                         Duration window) {
  auto [it, fresh] = ids_.try_emplace(id, Id{seq, received});
  if (!fresh && received - it->second.at < window) return it->second.seq;
  it->second = {seq, received};
  return std::nullopt;
}

std::optional<Seq> MemoryStore::find_id(const std::string& id) {
  auto it = ids_.find(id);
  return it == ids_.end() ? std::nullopt : std::optional(it->second.seq);
}

void MemoryStore::sweep_ids(std::size_t examine, Wall before) {
  auto it = ids_.lower_bound(sweep_at_);
  for (; examine > 0 && it != ids_.end(); --examine)
    it = it->second.at < before ? ids_.erase(it) : std::next(it);
  sweep_at_ = it == ids_.end() ? std::string() : it->first;
}

BatchPtr MemoryStore::log_after(Seq seq, LaneMask lanes) {
  auto it = log_.upper_bound(seq + 1);
  if (it != log_.begin()) --it;
  for (; it != log_.end(); ++it)
    if (it->second.row.last > seq && ((it->second.row.lanes & lanes) != 0 || lanes == ~LaneMask{0}))
      return it->second.batch;
  return nullptr;
}

std::optional<LogRow> MemoryStore::oldest_log() {
  return log_.empty() ? std::nullopt : std::optional(log_.begin()->second.row);
}

std::optional<LogRow> MemoryStore::log_row_of(Seq seq) {
  auto it = log_.upper_bound(seq);
  return it == log_.begin() ? std::nullopt : std::optional(std::prev(it)->second.row);
}

void MemoryStore::save_lane(const LaneRow& row) {
  for (const DoneChunk& chunk : row.saved.done) {
    done_.erase({row.lane, chunk.number});
    if (!chunk.bits.empty()) done_[{row.lane, chunk.number}] = chunk;
  }
  lanes_[row.lane] = row;
}

std::vector<LaneRow> MemoryStore::lanes() {
  std::vector<LaneRow> rows;
  for (const auto& [lane, row] : lanes_) {
    rows.push_back(row);
    rows.back().saved.done.clear();
    for (auto it = done_.lower_bound({lane, 0}); it != done_.end() && it->first.first == lane; ++it)
      rows.back().saved.done.push_back(it->second);
  }
  return rows;
}

std::optional<AsideRow> MemoryStore::aside(LaneId lane, Seq seq) {
  auto it = asides_.find({seq, lane});
  return it == asides_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<AsideRow> MemoryStore::asides(const AsideQuery& query) {
  std::vector<AsideRow> rows;
  for (auto it = asides_.lower_bound({query.after + 1, 0}); it != asides_.end(); ++it) {
    if (rows.size() == query.limit) break;
    const AsideRow& row = it->second;
    if (row.dead == query.dead && (!query.lane || *query.lane == row.lane)) rows.push_back(row);
  }
  return rows;
}

std::vector<TrailRow> MemoryStore::trail_of(Seq low, Seq high) {
  std::vector<TrailRow> rows;
  for (const auto& [number, row] : trail_)
    if (row.high >= low && row.low <= high) rows.push_back(row);
  return rows;
}

void MemoryStore::append_notes(const NoteRow& row) {
  notes_[row.number] = row;
  bytes_ += row.data.size();
}

void MemoryStore::erase_notes(std::uint64_t upto) {
  while (!notes_.empty() && notes_.begin()->first <= upto) {
    bytes_ -= notes_.begin()->second.data.size();
    notes_.erase(notes_.begin());
  }
}

std::optional<NoteRow> MemoryStore::notes_after(std::uint64_t number) {
  auto it = notes_.upper_bound(number);
  return it == notes_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<TrailRow> MemoryStore::oldest_trail() {
  return trail_.empty() ? std::nullopt : std::optional(trail_.begin()->second);
}

}  // namespace checkrelay
