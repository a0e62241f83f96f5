// The journal's face: takes orders on the loop thread, has them worked off at the desk (desk.h) on
// one writer thread, and brings the answers back through poll(). Orders that arrive while a commit
// is being synced share the next one; a lone one waits for nobody, but that settlements alone,
// which nobody waits for, gather for a moment. A writer at rest gets the first few orders of a
// turn of the loop before the turn ends, so that both work at once. Without a thread every order is
// worked off within its call, and only the answers wait for poll(): that is the in-memory journal,
// and the tests'.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/port/journal.h"
#include "spool/desk.h"

namespace checkrelay {

class JournalFront : public Journal {
 public:
  // What else must live as long as the store does, such as the lock of its directory, comes as
  // `keep`. `wake` is called from the writer thread when poll() has something to do.
  JournalFront(std::unique_ptr<Store> store, DeskOptions options, std::function<void()> wake,
               bool threaded, std::shared_ptr<void> keep = nullptr);
  ~JournalFront() override;

  Result<std::vector<LaneId>> lanes(
      const std::vector<std::pair<std::string, LaneOptions>>& destinations) override;
  using Journal::stage;
  void stage(std::vector<Record> records, std::vector<Note> notes,
             std::function<void(Result<std::vector<Stored>>)> done) override;
  void notes(const std::function<void(std::uint32_t, std::string_view)>& each) override;
  void claim(LaneId lane, std::size_t records, std::size_t bytes,
             std::function<void(std::vector<Claim>)> done) override;
  void settle(LaneId lane, std::vector<Settlement> settlements) override;
  void browse(BrowseQuery query, std::function<void(BrowsePage)> done) override;
  void retry(std::optional<LaneId> lane, std::vector<Seq> seqs,
             std::function<void(std::size_t)> done) override;
  void drop(std::optional<LaneId> lane, std::vector<Seq> seqs, std::string why,
            std::function<void(std::size_t)> done) override;
  void free_held(LaneId lane) override;
  void pause(LaneId lane, bool paused, std::function<void(Result<bool>)> done) override;
  [[nodiscard]] const JournalStats& stats() const override { return stats_; }
  void poll(Instant now) override;
  void flush() override;
  [[nodiscard]] const std::vector<std::string>& opening_reports() const { return opening_; }
  // Where the store could not be read: nothing may be asked of the journal then.
  [[nodiscard]] const Result<void>& opened() const { return opened_; }

 private:
  using Answer = std::function<void()>;
  // What a change does once it is known whether it was committed.
  using AfterCommit = std::function<void(const Result<void>&)>;
  // What of an order must be committed at once: nothing (it gathers), what it stages, or all that
  // is to be committed.
  enum class Haste { none, staged, everything };
  struct Staging;
  struct Order {
    Instant now{};
    Haste haste = Haste::everything;
    std::unique_ptr<Staging> staging{};  // exactly one of the three is set
    std::function<AfterCommit(Desk&)> change{};
    std::function<Answer(Desk&)> read{};
  };
  struct Browsing {
    Desk::BrowseJob job{};
    std::function<void(BrowsePage)> done{};
  };
  struct Retrying {
    Desk::RetryJob job{};
    std::function<void(std::size_t)> done{};
  };

  struct Reply {
    std::unique_ptr<Staging> staged{};  // exactly one of the two is set
    Answer give{};
  };

  void place(Order order);
  void change(Haste haste, std::function<AfterCommit(Desk&)> f);
  void read(Haste haste, std::function<Answer(Desk&)> f);
  void run();
  [[nodiscard]] bool turn();  // true where more is to be done
  void work_changes(std::chrono::steady_clock::time_point now, bool probe);
  void tell_staged(const Result<void>& committed);
  void work_reads();
  [[nodiscard]] AfterCommit retry_some();
  [[nodiscard]] AfterCommit tell_count(std::size_t n, std::function<void(std::size_t)> done);
  void answer(Answer a);
  void give_some();
  void give(Reply& reply);
  [[nodiscard]] static bool worth_a_look(const JournalStats& now, const JournalStats& before);
  void publish();
  void tell_reports();

  std::shared_ptr<void> keep_;
  std::unique_ptr<Store> store_;
  std::function<void()> wake_;

  // Loop thread.
  Instant now_{};
  JournalStats stats_;
  std::uint64_t staged_ = 0;
  std::vector<std::string> opening_;
  Result<void> opened_;
  std::vector<Order> placed_;  // in this turn of the loop
  std::deque<Reply> answers_;  // not yet given

  // Writer thread (the loop's where there is none).
  Desk desk_;
  std::deque<Order> orders_;
  std::vector<std::function<Answer(Desk&)>> reads_;  // of this turn
  std::deque<Browsing> browsing_;
  std::deque<Retrying> retrying_;
  std::chrono::steady_clock::time_point retry_at_{};                  // of a disk in trouble
  std::optional<std::chrono::steady_clock::time_point> commit_at_{};  // of what gathers
  std::chrono::steady_clock::time_point committed_at_{};              // of what had gathered
  std::vector<std::unique_ptr<Staging>> staged_now_;                  // for this commit
  std::vector<Reply> ready_;

  std::mutex mutex_;  // guards what follows; never held while anything blocks
  std::condition_variable arrived_;
  std::vector<Order> inbox_;
  std::vector<Reply> outbox_;
  JournalStats published_;
  bool news_ = false;  // since the last poll()
  bool stop_ = false;
  std::atomic<bool> resting_ = false;  // the writer; a hint, read without the mutex
  std::thread thread_;
};

}  // namespace checkrelay
