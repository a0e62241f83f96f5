// Every call to the disk fails in turn, in each way in which it can, once or for a while. Producers
// hear so or hear "ok" with right; nothing acknowledged is lost even if the power goes afterwards;
// and the journal goes on by itself when the disk does.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <iostream>

#include "tests/contract/journal_contract.h"
#include "tests/spool/journal/desk_agent.h"
#include "tests/spool/journal/power_loss_vfs.h"

namespace checkrelay {
namespace {

using power_loss::Call;
using power_loss::How;

constexpr int kRecords = 44;
constexpr int kReopenAt = 22;     // the record before which the agent stops and starts
constexpr int kLastsFor = 4;      // steps
constexpr int kFewPages = 12;     // of the write-ahead log: checkpoints are a part of it
constexpr int kHousekeeping = 4;  // turns within which it has to recover

struct Fault {
  Call call = Call::write;
  How how = How::io_error;
  bool lasting = false;
  std::string name{};
};
void PrintTo(const Fault& f, std::ostream* out) { *out << f.name; }

class Trouble {
 public:
  explicit Trouble(const std::string& directory) : directory_(directory) { open(); }
  // Ends so many steps after the fault has gone, or with the records.
  void work(int more_steps) {
    int since = 0;
    bool reopened = false;
    for (int n = 0; n < kRecords && since < kLastsFor + more_steps;) {
      if (n >= kReopenAt && !std::exchange(reopened, true)) open();
      n = work_step(*agent_, known_, n);
      if (power_loss::struck() && ++since == kLastsFor) power_loss::heal();
    }
    power_loss::heal();
  }
  // By itself: nobody opens it anew, nobody hands anything in.
  void expect_recovery() {
    for (int i = 0; i < kHousekeeping && !agent_->well(); ++i) (void)agent_->desk->upkeep(true);
    EXPECT_TRUE(agent_->well()) << agent_->desk->stats().trouble;
    const auto before = known_.acknowledged.size();
    (void)work_step(*agent_, known_, kRecords);
    EXPECT_GT(known_.acknowledged.size(), before);
  }
  void check_after_power_loss(std::uint64_t seed) {
    power_loss::cut();
    agent_.reset();
    power_loss::lose(seed);
    power_loss::arm(0);
    DeskAgent again(directory_, kFewPages);
    ASSERT_TRUE(again.opened()) << again.error.what;
    check_everything(again, known_);
  }

 private:
  // As a service manager does, which starts it again; a fault that lasts has gone by then.
  void open() {
    agent_.reset();
    agent_ = std::make_unique<DeskAgent>(directory_, kFewPages);
    if (agent_->opened()) return;
    EXPECT_TRUE(power_loss::struck()) << agent_->error.what;
    EXPECT_TRUE(agent_->error.code == Errc::unavailable || agent_->error.code == Errc::full)
        << agent_->error.what;
    power_loss::heal();
    agent_ = std::make_unique<DeskAgent>(directory_, kFewPages);
    ASSERT_TRUE(agent_->opened()) << agent_->error.what;
  }

  std::string directory_;
  Known known_;
  std::unique_ptr<DeskAgent> agent_;
};

class IoErrors : public testing::TestWithParam<Fault> {
 protected:
  IoErrors() { power_loss::install(); }
  // How many such calls the work makes where nothing fails.
  static std::uint64_t count() {
    const TempDirectory directory(TempDirectory::Place::memory);
    power_loss::arm(0);
    Trouble trouble(directory.path());
    trouble.work(kRecords);
    return power_loss::calls(GetParam().call);
  }
  static bool run(std::uint64_t at) {
    const TempDirectory directory(TempDirectory::Place::memory);
    power_loss::arm(0);
    power_loss::fail({GetParam().call, at, GetParam().how, GetParam().lasting});
    Trouble trouble(directory.path());
    if (!testing::Test::HasFailure()) trouble.work(static_cast<int>(at % 8));
    const bool struck = power_loss::struck();
    if (!testing::Test::HasFailure()) trouble.expect_recovery();
    if (!testing::Test::HasFailure()) trouble.check_after_power_loss(at);
    return struck;
  }
};

TEST_P(IoErrors, EveryCallInTurnMayFail) {
  const auto calls = count();
  std::uint64_t struck = 0;
  for (std::uint64_t at = 1; at <= calls; ++at) {
    struck += run(at) ? 1 : 0;
    if (testing::Test::HasFailure())
      FAIL() << GetParam().name << ": call " << at << " of " << calls;
  }
  EXPECT_GE(struck, calls * 9 / 10);
  std::cout << "I/O errors: " << GetParam().name << ": " << struck << " cut points\n";
}

std::vector<Fault> all_faults() {
  std::vector<Fault> faults;
  const auto add = [&](Call call, How how, const char* word, bool lasting) {
    faults.push_back({call, how, lasting,
                      fmt::format("{}_{}{}", to_string(call), word, lasting ? "_lasting" : "")});
  };
  for (const bool lasting : {false, true}) {
    for (const Call call : power_loss::kCalls) add(call, How::io_error, "error", lasting);
    add(Call::write, lasting ? How::full : How::torn, lasting ? "full" : "torn", lasting);
  }
  add(Call::write, How::torn_full, "torn_full", true);
  add(Call::sync, How::full, "full", true);
  return faults;
}

INSTANTIATE_TEST_SUITE_P(Calls, IoErrors, testing::ValuesIn(all_faults()),
                         [](const auto& fault) { return fault.param.name; });

}  // namespace
}  // namespace checkrelay
