// A journal that is only looked at (agent/port/journal.h): the queue of an agent that does not run.
// Everything that would change it is refused, or does nothing. Answers come from poll().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spool/desk.h"

namespace checkrelay {

class ReadingJournal : public Journal {
 public:
  explicit ReadingJournal(std::unique_ptr<Store> store);
  // Where the store could not be read: nothing may be asked of the journal then.
  [[nodiscard]] const Result<void>& opened() const { return opened_; }

  Result<std::vector<LaneId>> lanes(
      const std::vector<std::pair<std::string, LaneOptions>>& destinations) override;
  using Journal::stage;
  void stage(std::vector<Record> records, std::vector<Note> notes,
             std::function<void(Result<std::vector<Stored>>)> done) override;
  void notes(const std::function<void(std::uint32_t, std::string_view)>& each) override;
  void claim(LaneId lane, std::size_t records, std::size_t bytes,
             std::function<void(std::vector<Claim>)> done) override;
  void settle(LaneId, std::vector<Settlement>) override {}
  void free_held(LaneId) override {}
  void browse(BrowseQuery query, std::function<void(BrowsePage)> done) override;
  void retry(std::optional<LaneId> lane, std::vector<Seq> seqs,
             std::function<void(std::size_t)> done) override;
  void drop(std::optional<LaneId> lane, std::vector<Seq> seqs, std::string why,
            std::function<void(std::size_t)> done) override;
  void pause(LaneId lane, bool paused, std::function<void(Result<bool>)> done) override;
  [[nodiscard]] const JournalStats& stats() const override { return stats_; }
  void poll(Instant now) override;
  void flush() override {}

 private:
  void answer(std::function<void()> f) { asked_.push_back(std::move(f)); }
  std::unique_ptr<Store> store_;
  Desk desk_;
  Result<void> opened_;
  JournalStats stats_;
  std::deque<std::function<void()>> asked_;
};

}  // namespace checkrelay
