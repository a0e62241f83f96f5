// The store in memory: for the in-memory journal and for tests of the logic. Nothing is durable,
// nothing fails.
#pragma once

#include <map>
#include <utility>

#include "spool/store.h"

namespace checkrelay {

class MemoryStore : public Store {
 public:
  MemoryStore();
  void begin(Sync) override {}
  Result<void> commit() override { return {}; }
  [[nodiscard]] bool failed() const override { return false; }
  void append(const LogRow& row, std::string_view data) override;
  void erase_log(Seq first) override;
  std::optional<Seq> remember(const std::string& id, Seq seq, Wall received,
                              Duration window) override;
  std::optional<Seq> find_id(const std::string& id) override;
  void sweep_ids(std::size_t examine, Wall before) override;
  void save_lane(const LaneRow& row) override;
  void save_aside(const AsideRow& row) override { asides_[{row.seq, row.lane}] = row; }
  void erase_aside(LaneId lane, Seq seq) override { asides_.erase({seq, lane}); }
  void set_hash_key(std::string_view key) override { key_ = key; }
  void save_trail(const TrailRow& row) override { trail_[row.number] = row; }
  void erase_trail(std::uint64_t number) override { trail_.erase(number); }
  void append_notes(const NoteRow& row) override;
  void erase_notes(std::uint64_t upto) override;
  BatchPtr log_after(Seq seq, LaneMask lanes) override;
  std::optional<LogRow> oldest_log() override;
  std::optional<LogRow> log_row_of(Seq seq) override;
  std::uint64_t appended() override { return appended_; }
  std::vector<LaneRow> lanes() override;
  std::optional<AsideRow> aside(LaneId lane, Seq seq) override;
  std::vector<AsideRow> asides(const AsideQuery& query) override;
  std::vector<TrailRow> trail_of(Seq low, Seq high) override;
  std::optional<TrailRow> oldest_trail() override;
  std::uint64_t newest_trail() override { return trail_.empty() ? 0 : trail_.rbegin()->first; }
  std::uint64_t newest_notes() override { return notes_.empty() ? 0 : notes_.rbegin()->first; }
  std::optional<NoteRow> notes_after(std::uint64_t number) override;
  void scan_notes(const std::function<void(const NoteRow&)>& each) override {
    for (const auto& [number, row] : notes_) each(row);
  }
  std::string hash_key() override { return key_; }
  Room room() override { return {bytes_, bytes_}; }
  bool tidy(bool) override { return false; }

 private:
  struct Stored {
    LogRow row{};
    BatchPtr batch{};
  };
  struct Id {
    Seq seq = 0;
    Wall at{};
  };
  std::map<Seq, Stored> log_;
  std::map<std::string, Id> ids_;
  std::string sweep_at_;
  std::map<LaneId, LaneRow> lanes_;
  std::map<std::pair<LaneId, std::uint64_t>, DoneChunk> done_;
  std::map<std::pair<Seq, LaneId>, AsideRow> asides_;
  std::map<std::uint64_t, TrailRow> trail_;
  std::map<std::uint64_t, NoteRow> notes_;
  std::string key_;
  std::uint64_t appended_ = 0, bytes_ = 0;
};

}  // namespace checkrelay
