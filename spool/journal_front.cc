#include "spool/journal_front.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <utility>

#include "agent/base/log.h"

namespace checkrelay {
namespace {

constexpr std::size_t kCommitBytes = 4U << 20;          // a commit takes no more orders beyond it
constexpr std::size_t kAnswerBytes = 512U << 10;        // given in one turn of the loop, about
constexpr std::size_t kLeastWeight = 256;               // bytes that an answer counts as, at least
constexpr std::size_t kHandful = 8;                     // orders worth waking a writer at rest for
constexpr auto kGather = std::chrono::milliseconds(5);  // between commits of settlements alone
constexpr auto kRetry = std::chrono::seconds(1);        // after a commit that failed

}  // namespace

JournalFront::JournalFront(std::unique_ptr<Store> store, DeskOptions options,
                           std::function<void()> wake, bool threaded, std::shared_ptr<void> keep)
    : keep_(std::move(keep)),
      store_(std::move(store)),
      wake_(std::move(wake)),
      desk_(*store_, options) {
  opened_ = desk_.restore();
  opening_ = desk_.take_reports();
  stats_ = published_ = desk_.stats();
  if (threaded) thread_ = std::thread([this] { run(); });
}

JournalFront::~JournalFront() {
  flush();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (opened_) desk_.save_all();
}

void JournalFront::place(Order order) {
  order.now = now_;
  placed_.push_back(std::move(order));
  const bool now = resting_.load(std::memory_order_relaxed) && placed_.size() >= kHandful;
  if (now || !thread_.joinable()) flush();
}

void JournalFront::flush() {
  if (placed_.empty()) return;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = inbox_.empty();
    std::move(placed_.begin(), placed_.end(), std::back_inserter(inbox_));
  }
  placed_.clear();
  if (thread_.joinable()) {
    if (first) arrived_.notify_one();
    return;
  }
  while (turn()) {
  }
}

void JournalFront::answer(Answer a) { ready_.push_back({nullptr, std::move(a)}); }

void JournalFront::change(Haste haste, std::function<AfterCommit(Desk&)> f) {
  Order order;
  order.haste = haste;
  order.change = std::move(f);
  place(std::move(order));
}

void JournalFront::read(Haste haste, std::function<Answer(Desk&)> f) {
  Order order;
  order.haste = haste;
  order.read = std::move(f);
  place(std::move(order));
}

// Configuration is read at the start and at a reload, so the loop may wait here for a commit.
Result<std::vector<LaneId>> JournalFront::lanes(
    const std::vector<std::pair<std::string, LaneOptions>>& destinations) {
  // Shared: the writer may still be in set_value() when the loop has the value.
  auto promise = std::make_shared<std::promise<Result<std::vector<LaneId>>>>();
  auto result = promise->get_future();
  change(Haste::everything, [&, promise](Desk& desk) {
    auto ids = desk.lanes(destinations);
    return [this, promise, ids = std::move(ids)](const Result<void>&) {
      publish();  // or the first stats() would not know the new lanes
      promise->set_value(ids);
    };
  });
  flush();
  auto ids = result.get();
  const std::lock_guard lock(mutex_);
  stats_ = published_;
  stats_.staged = staged_;
  return ids;
}

// Goes from hand to hand, and comes back with the answer.
struct JournalFront::Staging {
  std::vector<Record> records{};
  std::vector<Note> notes{};
  std::uint64_t bytes = 0;
  Result<std::vector<Stored>> stored{};
  std::function<void(Result<std::vector<Stored>>)> done{};
};

void JournalFront::stage(std::vector<Record> records, std::vector<Note> notes,
                         std::function<void(Result<std::vector<Stored>>)> done) {
  auto s = std::make_unique<Staging>();
  for (const Record& r : records) s->bytes += r.body.size() + r.id.size() + r.subject.size();
  for (const Note& n : notes) s->bytes += n.body.size();
  s->records = std::move(records);
  s->notes = std::move(notes);
  s->done = std::move(done);
  stats_.staged = staged_ += s->bytes;
  Order order;
  order.haste = Haste::staged;
  order.staging = std::move(s);
  place(std::move(order));
}

// At the start, so the loop may wait here.
void JournalFront::notes(const std::function<void(std::uint32_t, std::string_view)>& each) {
  auto promise = std::make_shared<std::promise<void>>();
  auto result = promise->get_future();
  read(Haste::none, [&each, promise](Desk& desk) -> Answer {
    desk.notes(each);
    promise->set_value();
    return nullptr;
  });
  flush();
  result.get();
}

void JournalFront::claim(LaneId lane, std::size_t records, std::size_t bytes,
                         std::function<void(std::vector<Claim>)> done) {
  read(Haste::none, [=, done = std::move(done)](Desk& desk) -> Answer {
    auto claims = std::make_shared<std::vector<Claim>>(desk.claim(lane, records, bytes));
    return [claims, done] { done(std::move(*claims)); };
  });
}

void JournalFront::settle(LaneId lane, std::vector<Settlement> settlements) {
  change(Haste::none, [lane, settlements = std::move(settlements)](Desk& desk) -> AfterCommit {
    desk.settle(lane, settlements);
    return nullptr;
  });
}

void JournalFront::free_held(LaneId lane) {
  change(Haste::none, [lane](Desk& desk) -> AfterCommit {
    desk.free_held(lane);
    return nullptr;
  });
}

void JournalFront::browse(BrowseQuery query, std::function<void(BrowsePage)> done) {
  read(Haste::everything,
       [this, query = std::move(query), done = std::move(done)](Desk&) -> Answer {
         Browsing asked;
         asked.job.query = query;
         asked.done = done;
         browsing_.push_back(std::move(asked));
         return nullptr;
       });
}

JournalFront::AfterCommit JournalFront::tell_count(std::size_t n,
                                                   std::function<void(std::size_t)> done) {
  return [this, n, done = std::move(done)](const Result<void>& committed) {
    answer([n = committed ? n : 0, done] { done(n); });
  };
}

void JournalFront::retry(std::optional<LaneId> lane, std::vector<Seq> seqs,
                         std::function<void(std::size_t)> done) {
  change(Haste::everything,
         [this, lane, seqs = std::move(seqs), done = std::move(done)](Desk& desk) -> AfterCommit {
           if (!seqs.empty()) return tell_count(desk.retry(lane, seqs), done);
           Retrying& asked = retrying_.emplace_back();
           asked.job.lane = lane;
           asked.done = done;
           return nullptr;
         });
}

// A step of the first one; what it did is in this turn's commit.
JournalFront::AfterCommit JournalFront::retry_some() {
  const bool through = desk_.retry_some(retrying_.front().job);
  return [this, through](const Result<void>& committed) {
    if (committed && !through) return;
    tell_count(retrying_.front().job.count, std::move(retrying_.front().done))(committed);
    retrying_.pop_front();
  };
}

void JournalFront::drop(std::optional<LaneId> lane, std::vector<Seq> seqs, std::string why,
                        std::function<void(std::size_t)> done) {
  change(Haste::everything,
         [this, lane, seqs = std::move(seqs), why = std::move(why),
          done = std::move(done)](Desk& desk) -> AfterCommit {
           const std::size_t n = desk.drop(lane, seqs, why);
           return tell_count(n, done);
         });
}

void JournalFront::pause(LaneId lane, bool paused, std::function<void(Result<bool>)> done) {
  change(Haste::everything,
         [this, lane, paused, done = std::move(done)](Desk& desk) -> AfterCommit {
           const bool news = desk.pause(lane, paused);
           return [this, news, done](const Result<void>& committed) {
             Result<bool> told = news;
             if (!committed) told = tl::unexpected(committed.error());
             answer([told, done] { done(told); });
           };
         });
}

void JournalFront::poll(Instant now) {
  now_ = now;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(news_, false)) {
      std::move(outbox_.begin(), outbox_.end(), std::back_inserter(answers_));
      outbox_.clear();
      stats_ = published_;
    }
  }
  stats_.staged = staged_;  // the answers may look at it
  give_some();
}

// What one large commit brings is spread over turns of the loop, which has others to serve.
void JournalFront::give_some() {
  const bool in_parts = thread_.joinable() && wake_;
  for (std::size_t given = 0; !answers_.empty() && (!in_parts || given < kAnswerBytes);) {
    Reply first = std::move(answers_.front());
    answers_.pop_front();
    given += first.staged ? std::max(first.staged->bytes, kLeastWeight) : kLeastWeight;
    give(first);
  }
  if (!answers_.empty()) wake_();
}

void JournalFront::give(Reply& reply) {
  if (!reply.staged) return reply.give();
  stats_.staged = staged_ -= reply.staged->bytes;
  reply.staged->done(std::move(reply.staged->stored));
}

void JournalFront::run() {
  std::unique_lock lock(mutex_);
  bool more = false;
  for (;;) {
    const auto something = [this] { return stop_ || !inbox_.empty(); };
    if (!more && orders_.empty()) {
      resting_.store(true, std::memory_order_relaxed);
      if (commit_at_) {
        arrived_.wait_until(lock, *commit_at_, something);
      } else if (published_.trouble.empty()) {
        arrived_.wait(lock, something);
      } else {
        arrived_.wait_for(lock, kRetry, something);
      }
      resting_.store(false, std::memory_order_relaxed);
    }
    if (stop_ && inbox_.empty() && orders_.empty()) return;
    lock.unlock();
    more = turn();
    lock.lock();
  }
}

bool JournalFront::turn() {
  {
    const std::lock_guard lock(mutex_);
    for (Order& o : inbox_) orders_.push_back(std::move(o));
    inbox_.clear();
  }
  if (!orders_.empty()) desk_.clock(orders_.back().now);
  const auto began = std::chrono::steady_clock::now();
  const bool probe = began >= retry_at_;
  const auto failures = desk_.failed_commits();
  work_changes(began, probe);
  publish();  // acknowledgements leave before anything else is done
  work_reads();
  const bool busy = !orders_.empty() || !browsing_.empty() || !retrying_.empty();
  const bool more = desk_.upkeep(!busy && !commit_at_, probe && desk_.failed_commits() == failures);
  if (desk_.failed_commits() != failures) retry_at_ = began + kRetry;
  publish();
  tell_reports();
  return more || busy;
}

// Reads do not part the changes around them: one commit is for all.
void JournalFront::work_changes(std::chrono::steady_clock::time_point now, bool probe) {
  std::vector<AfterCommit> after;
  auto haste = thread_.joinable() ? Haste::none : Haste::everything;
  for (; !orders_.empty() && desk_.staged_bytes() < kCommitBytes; orders_.pop_front()) {
    Order& order = orders_.front();
    haste = std::max(haste, order.haste);
    if (order.staging) {
      order.staging->stored = desk_.stage(order.staging->records, std::move(order.staging->notes));
      staged_now_.push_back(std::move(order.staging));
    } else if (order.read) {
      reads_.push_back(std::move(order.read));
    } else if (auto f = order.change(desk_)) {
      after.push_back(std::move(f));
    }
  }
  if (!retrying_.empty()) {
    haste = Haste::everything;
    after.push_back(retry_some());
  }
  if (!commit_at_ && desk_.settlements_wait()) commit_at_ = std::max(now, committed_at_ + kGather);
  const bool due = haste == Haste::everything || (commit_at_ && now >= *commit_at_);
  if (haste == Haste::none && !due) return;
  if (due) {
    commit_at_.reset();
    committed_at_ = now;
  }
  const auto committed = desk_.commit(probe, due);
  tell_staged(committed);
  for (const AfterCommit& f : after) f(committed);
}

void JournalFront::tell_staged(const Result<void>& committed) {
  for (auto& s : staged_now_) {
    if (s->stored && !committed) s->stored = tl::unexpected(committed.error());
    ready_.push_back({std::move(s), nullptr});
  }
  staged_now_.clear();
}

void JournalFront::work_reads() {
  for (const auto& f : reads_)
    if (auto a = f(desk_)) answer(std::move(a));
  reads_.clear();
  if (browsing_.empty()) return;
  Browsing& first = browsing_.front();
  if (!desk_.browse(first.job)) return;
  answer([done = std::move(first.done), page = std::make_shared<BrowsePage>(std::move(
                                            first.job.page))] { done(std::move(*page)); });
  browsing_.pop_front();
}

bool JournalFront::worth_a_look(const JournalStats& now, const JournalStats& before) {
  return now.full != before.full || now.trouble != before.trouble || now.lanes != before.lanes;
}

void JournalFront::publish() {
  auto stats = desk_.stats();
  const bool some = !ready_.empty() || worth_a_look(stats, published_);
  {
    const std::lock_guard lock(mutex_);
    std::move(ready_.begin(), ready_.end(), std::back_inserter(outbox_));
    published_ = std::move(stats);
    news_ = true;
  }
  ready_.clear();
  if (some && wake_) wake_();
}

void JournalFront::tell_reports() {
  if (!thread_.joinable()) return;
  for (const std::string& report : desk_.take_reports())
    log(Level::error, "journal damage", {{"what", report}});
}

}  // namespace checkrelay
