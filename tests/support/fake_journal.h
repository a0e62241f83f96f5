// A journal in memory whose work happens in poll(), and which fails when it is told to. For tests
// of what stands on a journal; the journals themselves have their own contract suite.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/port/journal.h"

namespace checkrelay {

class FakeJournal : public Journal {
 public:
  std::optional<Error> fail_stage{};       // every stage() fails so while this is set
  std::optional<Error> fail_pause{};       // every pause() fails so while this is set
  std::optional<Error> fail_lanes{};       // the next lanes() fails so
  std::size_t retries_at_most = SIZE_MAX;  // of one retry()
  bool frozen = false;                     // poll() brings nothing: a disk that hangs
  JournalStats faked{};                    // bytes, full, staged, commits and trouble as given here
  std::vector<Settlement> settlements{};   // all that were made, in order
  std::map<std::uint32_t, std::string> noted{};  // what notes() tells; stage() adds to it

  [[nodiscard]] bool has_work() const { return !frozen && !work_.empty(); }
  // What became of a result at a lane, in the words of Browsed; empty = it never owed anything
  // there.
  [[nodiscard]] std::string fate(const std::string& id, LaneId lane) const;
  [[nodiscard]] const std::vector<std::pair<std::string, LaneOptions>>& declared() const {
    return declared_;
  }

  [[nodiscard]] Result<std::vector<LaneId>> lanes(
      const std::vector<std::pair<std::string, LaneOptions>>& destinations) override;
  using Journal::stage;
  void stage(std::vector<Record> records, std::vector<Note> notes,
             std::function<void(Result<std::vector<Stored>>)> done) override;
  void notes(const std::function<void(std::uint32_t, std::string_view)>& each) override;
  void claim(LaneId lane, std::size_t records, std::size_t bytes,
             std::function<void(std::vector<Claim>)> done) override;
  void settle(LaneId lane, std::vector<Settlement> settlements) override;
  void free_held(LaneId lane) override;
  void browse(BrowseQuery query, std::function<void(BrowsePage)> done) override;
  void retry(std::optional<LaneId> lane, std::vector<Seq> seqs,
             std::function<void(std::size_t)> done) override;
  void drop(std::optional<LaneId> lane, std::vector<Seq> seqs, std::string why,
            std::function<void(std::size_t)> done) override;
  void pause(LaneId lane, bool paused, std::function<void(Result<bool>)> done) override;
  [[nodiscard]] const JournalStats& stats() const override { return stats_; }
  void set_staged(std::uint64_t bytes) { stats_.staged = bytes; }
  void poll(Instant now) override;
  void flush() override {}

 private:
  struct Slot {
    std::string what = "pending";
    Claim claim{};
    std::optional<Steady> due{};
    bool held = false;
    std::string answer{};
    std::vector<StoryLine> story{};
  };
  struct Item {
    Seq seq = 0;
    Record record{};
    std::map<LaneId, Slot> slots{};
  };
  [[nodiscard]] Stored store(Record record);
  void note(Note note);
  [[nodiscard]] std::vector<Claim> take(LaneId lane, std::size_t records, std::size_t bytes);
  void end(LaneId lane, const Settlement& s);
  [[nodiscard]] std::size_t change(std::optional<LaneId> lane, const std::vector<Seq>& seqs,
                                   const std::vector<std::string>& from, const std::string& to,
                                   std::size_t at_most = SIZE_MAX);
  [[nodiscard]] BrowsePage page(const BrowseQuery& q) const;
  void count();

  std::deque<std::function<void()>> work_;
  std::vector<std::pair<std::string, LaneOptions>> declared_;
  std::vector<LaneOptions> options_;
  std::deque<Item> items_;
  JournalStats stats_;
  Instant now_{};
};

}  // namespace checkrelay
