// The promise itself: whatever was acknowledged is there after the power went, at any moment, and
// nothing is torn.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "spool/desk.h"
#include "spool/sqlite_store.h"
#include "tests/contract/journal_contract.h"
#include "tests/spool/journal/power_loss_vfs.h"

namespace checkrelay {
namespace {

// The real store and logic without the thread, so that the n-th write is always the same one.
struct Agent {
  explicit Agent(const std::string& directory) {
    SqliteStoreOptions options;
    options.directory = directory;
    options.vfs = power_loss::kVfs;
    options.checkpoint_pages = 40;
    auto opened = SqliteStore::open(options, &reports);
    if (!opened) return;
    store = std::move(*opened);
    DeskOptions desk_options;
    desk_options.history_bytes = 20000;
    desk = std::make_unique<Desk>(*store, desk_options);
    desk->clock({Steady(std::chrono::hours(1)), Wall(Duration(1'700'000'000'000'000))});
    desk->restore();
    declared = desk->lanes({{"all", {}}, {"latest", {Backlog::latest, {}}}}).has_value();
  }
  std::vector<std::string> reports;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<Desk> desk;
  bool declared = false;
};

std::string body_of(int n) {
  return fmt::format("{}:{}", n, std::string(static_cast<std::size_t>(n % 7) * 300, 'x'));
}

struct Known {
  std::map<Seq, std::string> acknowledged{};
  std::set<Seq> settled{};  // delivered at lane 0; whether that is known after the crash is open
};

Record make(int n) {
  Record r;
  r.id = fmt::format("id{}", n);
  r.id_given = n % 3 == 0;
  r.subject = fmt::format("s{}", n % 50);
  r.time = r.received = Wall(Duration(1'700'000'000'000'000 + n));
  r.lanes = 3;
  r.body = body_of(n);
  return r;
}

void work(Agent& agent, Known& known) {
  for (int n = 0; n < 300 && !power_loss::crashed();) {
    std::vector<Record> records;
    for (int i = 0; i < 1 + n % 5; ++i) records.push_back(make(n++));
    auto stored = agent.desk->stage(records);
    if (!stored || !agent.desk->commit()) continue;
    for (std::size_t i = 0; i < records.size(); ++i)
      known.acknowledged[stored->at(i).seq] = records[i].body;
    std::vector<Settlement> settlements;
    for (const Claim& c : agent.desk->claim(0, 3, 1 << 20)) {
      Settlement s;
      s.seq = c.seq;
      s.end = c.seq % 5 == 0 ? Settlement::End::later : Settlement::End::delivered;
      if (s.end == Settlement::End::delivered) known.settled.insert(c.seq);
      settlements.push_back(s);
    }
    agent.desk->settle(0, settlements);
    (void)agent.desk->commit();
    (void)agent.desk->upkeep(n % 4 == 0);
  }
}

// Everything acknowledged is either still claimable, with its bytes, or was settled before.
void check(Agent& agent, const Known& known) {
  std::map<Seq, std::string> found;
  for (;;) {
    const auto claims = agent.desk->claim(0, 1000, 64 << 20);
    if (claims.empty()) break;
    std::vector<Settlement> settlements;
    for (const Claim& c : claims) {
      found[c.seq] = c.body;
      Settlement s;
      s.seq = c.seq;
      s.end = Settlement::End::delivered;
      settlements.push_back(s);
    }
    agent.desk->settle(0, settlements);
    ASSERT_TRUE(agent.desk->commit());
  }
  for (const auto& [seq, body] : known.acknowledged) {
    auto it = found.find(seq);
    if (it == found.end()) {
      ASSERT_TRUE(known.settled.count(seq)) << "record " << seq << " is lost";
    } else {
      ASSERT_EQ(it->second, body) << "record " << seq << " is torn";
    }
  }
  const LaneStats s = agent.desk->stats().lanes.at(0);
  ASSERT_EQ(s.pending + s.in_flight, 0U);
  ASSERT_EQ(s.expired, 0U);
  ASSERT_TRUE(agent.reports.empty()) << agent.reports.front();
}

void run_cut(std::uint64_t cut, std::uint64_t seed) {
  const TempDirectory directory;
  Known known;
  power_loss::arm(0);
  {
    Agent agent(directory.path());
    ASSERT_TRUE(agent.declared);
    power_loss::arm(cut);
    work(agent, known);
  }
  power_loss::lose(seed);
  power_loss::arm(0);
  Agent again(directory.path());
  ASSERT_TRUE(again.declared) << "the journal did not open";
  check(again, known);
}

TEST(PowerLoss, NothingAcknowledgedIsLostAtAnyCut) {
  power_loss::install();
  const TempDirectory directory;
  Known known;
  power_loss::arm(0);
  std::uint64_t operations = 0;
  {
    Agent agent(directory.path());
    ASSERT_TRUE(agent.declared);
    power_loss::arm(0);
    work(agent, known);
    operations = power_loss::operations();
  }
  const char* given = std::getenv("CHECKRELAY_CUTS");
  const auto cuts = given != nullptr ? std::strtoull(given, nullptr, 10) : 600ULL;
  const std::uint64_t seed = 20260601;
  ASSERT_GT(operations, cuts);
  for (std::uint64_t i = 0; i < cuts; ++i) {
    const std::uint64_t cut = 1 + i * operations / cuts;
    run_cut(cut, seed + i);
    if (testing::Test::HasFatalFailure())
      FAIL() << "cut " << cut << " of " << operations << ", seed " << seed + i;
  }
  RecordProperty("cuts", static_cast<int>(cuts));
}

}  // namespace
}  // namespace checkrelay
