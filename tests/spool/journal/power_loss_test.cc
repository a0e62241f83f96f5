// The promise itself: whatever was acknowledged is there after the power went, at any moment, and
// nothing is torn.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/contract/journal_contract.h"
#include "tests/spool/journal/desk_agent.h"
#include "tests/spool/journal/power_loss_vfs.h"

namespace checkrelay {
namespace {

constexpr int kRecords = 300;

void work(DeskAgent& agent, Known& known) {
  for (int n = 0; n < kRecords && !power_loss::crashed();) n = work_step(agent, known, n);
}

void run_cut(std::uint64_t cut, std::uint64_t seed) {
  const TempDirectory directory(TempDirectory::Place::memory);
  Known known;
  power_loss::arm(0);
  {
    DeskAgent agent(directory.path());
    ASSERT_TRUE(agent.opened());
    power_loss::arm(cut);
    work(agent, known);
  }
  power_loss::lose(seed);
  power_loss::arm(0);
  DeskAgent again(directory.path());
  ASSERT_TRUE(again.opened()) << again.error.what;
  check_everything(again, known);
}

std::uint64_t count_operations() {
  const TempDirectory directory(TempDirectory::Place::memory);
  Known known;
  DeskAgent agent(directory.path());
  power_loss::arm(0);
  work(agent, known);
  return power_loss::operations();
}

TEST(PowerLoss, NothingAcknowledgedIsLostAtAnyCut) {
  power_loss::install();
  power_loss::arm(0);
  const std::uint64_t operations = count_operations();
  const char* given = std::getenv("CHECKRELAY_CUTS");
  const auto cuts = given != nullptr ? std::strtoull(given, nullptr, 10) : 600ULL;
  const std::uint64_t seed = 20260601;
  ASSERT_GT(operations, cuts);
  for (std::uint64_t i = 0; i < cuts; ++i) {
    const std::uint64_t cut = 1 + i * operations / cuts;
    run_cut(cut, seed + i);
    if (testing::Test::HasFailure())
      FAIL() << "cut " << cut << " of " << operations << ", seed " << seed + i;
  }
  std::cout << "power loss: " << cuts << " of " << operations << " cut points, seeds from " << seed
            << '\n';
}

}  // namespace
}  // namespace checkrelay
