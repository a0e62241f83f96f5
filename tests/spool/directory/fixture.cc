#include "tests/spool/directory/fixture.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "plugins/dialects/nagios/dialect.h"
#include "plugins/dialects/native/dialect.h"

namespace checkrelay::test {

std::unique_ptr<Conversation> SpoolReceiver::accept(const Peer& peer, const InboundContext& context,
                                                    std::string& why) {
  peers.push_back(peer);
  for (const Dialect* d : {&native_dialect(), &nagios_dialect()})
    if (auto conversation = d->inbound(context)) return conversation;
  why = "no dialect";
  return nullptr;
}

void SpoolReceiver::submit(const Peer&, Submission submission,
                           std::function<void(std::vector<Outcome>)> done) {
  waiting_.push_back({std::move(submission.results), std::move(done)});
  most_waiting = std::max(most_waiting, waiting_.size());
  if (automatic) loop_.defer([this] { answer_waiting(); });
}

void SpoolReceiver::answer_waiting() {
  while (!waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    answer(std::move(next));
  }
}

void SpoolReceiver::answer(Waiting waiting) {
  std::vector<Outcome> outcomes;
  for (CheckResult& r : waiting.results) {
    outcomes.push_back(judge(r));
    if (outcomes.back().ok && ids[r.id]++ == 0) taken.push_back(std::move(r));
  }
  waiting.done(std::move(outcomes));
}

SpoolDirectoryTest::SpoolDirectoryTest() {
  std::string name = (fs::temp_directory_path() / "checkrelay-spool-XXXXXX").string();
  path_ = fs::path(mkdtemp(name.data())) / "in";
  fs::create_directory(path_);
  tick_ =
      std::make_unique<Timer>(loop_, [this] { tick_->at(loop_.now().steady + Duration(5000)); });
  tick_->at(loop_.now().steady);
}

SpoolDirectoryTest::~SpoolDirectoryTest() {
  listener_.reset();
  tick_.reset();
  fs::remove_all(path_.parent_path());
}

void SpoolDirectoryTest::open(const std::function<void(Options&)>& change) {
  Options options;
  Options limits;
  options.set("path", path_.string());
  options.set("rescan", parse_duration(rescan_).value());
  limits.set("max_result", 1000LL);
  if (change) change(options);
  auto opened = spool_intake().open(options, limits, loop_, receiver_);
  ASSERT_TRUE(opened) << opened.error().what;
  listener_ = std::move(*opened);
}

void SpoolDirectoryTest::write(const std::string& name, std::string_view text) {
  std::ofstream(path_ / ".writing", std::ios::binary) << text;
  fs::rename(path_ / ".writing", path_ / name);
}

void SpoolDirectoryTest::until(const std::function<bool()>& done) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(180);
  while (!done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    loop_.run_once();
  }
}

void SpoolDirectoryTest::turn(int times) {
  for (int i = 0; i < times; ++i) loop_.run_once();
}

bool SpoolDirectoryTest::there(const std::string& name) const {
  return fs::exists(fs::symlink_status(path_ / name));
}

std::string SpoolDirectoryTest::text_of(const std::string& name) const {
  std::ifstream in(path_ / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t SpoolDirectoryTest::files() const {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(path_)) {
    std::string name = entry.path().filename();
    if (name[0] != '.' && name != "rejected") ++count;
  }
  return count;
}

}  // namespace checkrelay::test
