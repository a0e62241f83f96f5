// What every journal must do: one suite, run over each implementation (see journal_test.cc beside
// it). The rig drives a journal in virtual time and waits for its answers, never for a clock.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "agent/port/journal.h"

namespace checkrelay {

struct JournalMaker {
  std::string name{};
  bool durable = false;
  // `directory` is the test's own; opened again after a close it must be the same journal where
  // `durable`.
  std::function<std::unique_ptr<Journal>(const std::string& directory, std::function<void()> wake)>
      open{};
};
inline void PrintTo(const JournalMaker& maker, std::ostream* out) { *out << maker.name; }

class TempDirectory {
 public:
  enum class Place { disk, memory };  // memory: for tests whose syncs cannot mean anything
  explicit TempDirectory(Place place = Place::disk);
  ~TempDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class JournalRig {
 public:
  using Opener = std::function<std::unique_ptr<Journal>(std::function<void()> wake)>;
  explicit JournalRig(Opener opener);
  ~JournalRig();

  Journal& journal() { return *journal_; }
  void close() { journal_.reset(); }
  void reopen();
  void advance(Duration d);
  void set_clock(Duration by);  // the wall clock alone
  [[nodiscard]] Instant now() const { return now_; }

  LaneId lane(const std::string& name, Backlog backlog = Backlog::all, Duration max_age = {},
              Drain drain = Drain::in_order);
  [[nodiscard]] Record record(const std::string& subject, const std::string& body,
                              LaneMask lanes = 1, std::uint8_t state = 0) const;
  Result<std::vector<Stored>> stage(std::vector<Record> records, std::vector<Note> notes = {});
  std::map<std::uint32_t, std::string> notes();  // fails the test where one is told twice
  Seq put(const std::string& subject, const std::string& body, LaneMask lanes = 1,
          std::uint8_t state = 0);
  // A record of subject "s" for each digit, which is its state; the bodies are a0, b1, c1, …
  std::vector<Seq> put_states(const std::string& states, char first = 'a');
  std::vector<Claim> claim(LaneId lane = 0, std::size_t records = 1000,
                           std::size_t bytes = 1 << 20);
  std::vector<std::string> claim_bodies(LaneId lane = 0, std::size_t records = 1000);
  void settle(Seq seq, Settlement::End end, LaneId lane = 0, const std::string& answer = {});
  void settle(LaneId lane, std::vector<Settlement> settlements);
  void later(Seq seq, Duration wait, bool unknown = false, LaneId lane = 0);
  BrowsePage browse(BrowseQuery query);
  void commit();  // settlements that still gather
  std::size_t retry(std::vector<Seq> seqs, std::optional<LaneId> lane = std::nullopt);
  std::size_t drop(std::vector<Seq> seqs, std::optional<LaneId> lane = std::nullopt,
                   const std::string& why = {});
  Result<bool> pause(bool paused, LaneId lane = 0);
  const LaneStats& stats(LaneId lane = 0);
  const JournalStats& all_stats();
  void until(
      const std::function<bool()>& holds);  // polls at every wake-up; fails the test after a minute

 private:
  template <typename T>
  T wait_for(const std::function<void(std::function<void(T)>)>& ask);
  Opener opener_;
  Instant now_{};
  std::mutex mutex_;
  std::condition_variable woken_;
  bool wake_ = false;
  std::vector<std::pair<std::string, LaneOptions>> lanes_;
  std::unique_ptr<Journal> journal_;
};

class JournalContract : public testing::TestWithParam<JournalMaker> {
 protected:
  JournalContract();
  TempDirectory directory_;
  JournalRig rig_;
};

// The wall clock is set while the agent runs.
class JournalClockContract : public JournalContract {
 protected:
  Record given(const std::string& subject, const std::string& body) {
    Record r = rig_.record(subject, body);
    r.id_given = true;
    return r;
  }
  bool is_known(const std::string& body) {
    Record r = given("s", body);
    const auto stored = rig_.stage({r});
    return stored && stored->front().duplicate;
  }
};

// Backlog::changes.
class JournalChangesContract : public JournalContract {
 protected:
  using Bodies = std::vector<std::string>;
  // Everything that a willing destination gets, in order.
  Bodies deliver(LaneId lane = 0);
  void switch_to(Backlog backlog, std::uint64_t pending);  // returns when it is done
};

class JournalNotesContract : public JournalContract {
 protected:
  bool note(std::vector<Note> notes, std::vector<Record> records = {}) {
    return rig_.stage(std::move(records), std::move(notes)).has_value();
  }
  // A journal in memory forgets everything with its end.
  void restart() {
    if (GetParam().durable) rig_.reopen();
  }
  std::map<std::uint32_t, std::string> told() { return rig_.notes(); }
};

// Drain::fresh_first.
class JournalFreshContract : public JournalContract {};

}  // namespace checkrelay
