#include "plugins/transports/append_carrier.h"

#include <uv.h>

#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "agent/runtime/loop.h"
#include "plugins/transports/errand.h"

namespace checkrelay {
namespace {

class AppendCarrier : public Carrier {
 public:
  AppendCarrier(std::string path, Loop& loop)
      : loop_(loop),
        file_(std::make_shared<AppendFile>(std::move(path))),
        self_(std::make_shared<AppendCarrier*>(this)) {}
  ~AppendCarrier() override { *self_ = nullptr; }

  void carry(std::unique_ptr<Conversation> conversation,
             std::function<void(std::vector<Verdict>)> done) override {
    queue_.emplace_back(std::move(conversation), std::move(done));
    loop_.defer([weak = std::weak_ptr(self_)] {
      if (auto self = weak.lock()) (*self)->begin_next();
    });
  }

  void cancel() override {
    current_ = nullptr;
    const Instant now = loop_.now();
    auto queue = std::exchange(queue_, {});
    for (Errand& errand : queue) errand.end(Message::failure(Trouble::cancelled, "cancelled"), now);
  }

 private:
  struct Job {
    uv_work_t request{};
    std::shared_ptr<AppendFile> file{};
    std::string lines{};
    Result<void> outcome{};
    std::weak_ptr<AppendCarrier*> owner{};
  };

  void begin_next() {
    if (busy_ || queue_.empty()) return;
    if (!current_) {
      current_ = &queue_.front();
      current_->start(loop_.now());
    }
    if (auto message = current_->next()) return write(std::move(message->body));
    end_current();
  }

  void end_current() {
    current_ = nullptr;
    Errand finished = std::move(queue_.front());
    queue_.pop_front();
    const auto self = self_;  // `done` may destroy this, while a caller holds self_ too
    finished.end(std::nullopt, loop_.now());
    if (*self) (*self)->begin_next();
  }

  void write(std::string lines) {
    busy_ = true;
    auto* job = new Job{{}, file_, std::move(lines), {}, self_};
    job->request.data = job;
    uv_queue_work(loop_.uv(), &job->request, run_job, end_job);
  }

  static void run_job(uv_work_t* request) {
    Job& job = *static_cast<Job*>(request->data);
    job.outcome = job.file->append(job.lines);
  }

  static void end_job(uv_work_t* request, int) {
    std::unique_ptr<Job> job(static_cast<Job*>(request->data));
    if (auto owner = job->owner.lock()) (*owner)->written(job->outcome);
  }

  void written(const Result<void>& outcome) {
    busy_ = false;
    if (current_) {
      current_->receive(
          outcome ? Message::bytes({}) : Message::failure(Trouble::io, outcome.error().what),
          loop_.now());
    }
    begin_next();
  }

  Loop& loop_;
  std::shared_ptr<AppendFile> file_;
  std::deque<Errand> queue_;
  Errand* current_ = nullptr;  // the front of queue_, once started
  bool busy_ = false;          // a job is with the thread pool
  std::shared_ptr<AppendCarrier*> self_;
};

}  // namespace

std::span<const OptionRow> append_carrier_options() {
  static const std::array<OptionRow, 1> rows = {
      OptionRow{.name = "path",
                .kind = OptionKind::path,
                .doc = "the file that results are appended to",
                .required = true}};
  return rows;
}

Result<std::unique_ptr<Carrier>> make_append_carrier(const Options& options, Loop& loop) {
  return std::make_unique<AppendCarrier>(options.text("path"), loop);
}

}  // namespace checkrelay
