// Notes in the SQLite journal: older files, a full queue, damage, and who only looks.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "spool/examine.h"
#include "spool/journal.h"
#include "spool/sqlite_db.h"
#include "tests/spool/journal/damage_rig.h"

namespace checkrelay::damage {
namespace {

using Notes = std::map<std::uint32_t, std::string>;
using testing::HasSubstr;
using testing::IsEmpty;

class JournalOfNotes : public testing::Test {
 protected:
  JournalOfNotes() : path_(directory_.path() + "/state") {
    std::filesystem::create_directory(path_);
  }
  [[nodiscard]] Notes told(Agent& agent) {
    Notes all;
    agent.desk->notes([&](std::uint32_t n, std::string_view body) { all.emplace(n, body); });
    return all;
  }
  // A record and a note a commit.
  void fill(Agent& agent, int from, int upto) {
    for (int n = from; n < upto; ++n) {
      std::vector<Record> records = {make(n)};
      const auto number = static_cast<std::uint32_t>(n % 40);
      ASSERT_TRUE(agent.desk->stage(records, {{number, std::to_string(n)}}));
      ASSERT_TRUE(agent.desk->commit());
      known_[number] = std::to_string(n);
    }
  }
  // Everything into the database.
  static void settle(Agent& agent) {
    agent.store->begin(Sync::now);
    ASSERT_TRUE(agent.store->settle_down());
  }
  void sql(const char* text) {
    Database db;
    ASSERT_TRUE(db.open(path_ + "/journal.db", ""));
    ASSERT_TRUE(db.exec(text)) << db.what();
  }

  TempDirectory directory_{TempDirectory::Place::memory};
  std::string path_;
  Notes known_;
};

TEST_F(JournalOfNotes, AFileOfVersion1IsUpgradedInPlace) {
  {
    Agent agent(path_);
    fill(agent, 0, 5);
  }
  sql("DROP TABLE note; PRAGMA user_version=1");
  {
    Agent agent(path_);
    ASSERT_NE(agent.desk, nullptr) << agent.error.what;
    EXPECT_THAT(agent.reports, IsEmpty());
    EXPECT_THAT(told(agent), IsEmpty());
    EXPECT_EQ(agent.stats(0).pending, 5U);
    fill(agent, 40, 43);
  }
  Agent agent(path_);
  EXPECT_EQ(told(agent), (Notes{{0, "40"}, {1, "41"}, {2, "42"}}));
}

TEST_F(JournalOfNotes, WhoOnlyLooksIsToldToo) {
  {
    Agent agent(path_);
    fill(agent, 0, 50);
  }
  const auto journal = read_sqlite_journal(path_);
  ASSERT_TRUE(journal) << journal.error().what;
  Notes all;
  (*journal)->notes([&](std::uint32_t n, std::string_view body) { all.emplace(n, body); });
  EXPECT_EQ(all, known_);
  bool refused = false;
  (*journal)->stage({}, {{1, "x"}}, [&](const auto& done) { refused = !done; });
  (*journal)->poll({});
  EXPECT_TRUE(refused);
}

TEST_F(JournalOfNotes, ASalvageKeepsThem) {
  {
    Agent agent(path_);
    fill(agent, 0, 200);
    settle(agent);
  }
  auto database = read_file(path_ + "/journal.db");
  wipe_page(database, root_of(path_, "lane"));
  write_file(path_ + "/journal.db", database);
  Agent agent(path_);
  ASSERT_NE(agent.desk, nullptr) << agent.error.what;
  EXPECT_THAT(agent.told(), HasSubstr("moved aside"));
  EXPECT_EQ(told(agent), known_);
  fill(agent, 200, 240);
  EXPECT_EQ(told(agent), known_);
}

// The page of ids is met by the first id that is looked up.
TEST_F(JournalOfNotes, ASalvageWhileTheAgentRunsKeepsThem) {
  {
    Agent agent(path_);
    fill(agent, 0, 200);
    settle(agent);
  }
  auto database = read_file(path_ + "/journal.db");
  wipe_page(database, root_of(path_, "id"));
  write_file(path_ + "/journal.db", database);
  Agent agent(path_);
  std::vector<Record> records = {make(0)};
  records[0].id_given = true;
  ASSERT_TRUE(agent.desk->stage(records, {{7, "never"}}));
  ASSERT_FALSE(agent.desk->commit());
  fill(agent, 200, 210);
  EXPECT_EQ(agent.store->renewed(), 1U);
  EXPECT_EQ(told(agent), known_);
}

// Those on the page are lost, and the ones before them count.
TEST_F(JournalOfNotes, APageOfThemThatIsLostLosesThoseOnIt) {
  {
    Agent agent(path_);
    fill(agent, 0, 200);
    settle(agent);
  }
  auto database = read_file(path_ + "/journal.db");
  wipe_page(database, root_of(path_, "note"));
  write_file(path_ + "/journal.db", database);
  Agent agent(path_);
  ASSERT_NE(agent.desk, nullptr) << agent.error.what;
  for (const auto& [number, body] : told(agent)) EXPECT_EQ(std::stoi(body) % 40, int(number));
  EXPECT_EQ(agent.stats(0).pending, 200U);
  fill(agent, 200, 240);
  EXPECT_EQ(told(agent), known_);
}

TEST_F(JournalOfNotes, WhatIsBehindDamageInTheLogIsThere) {
  std::string database, log;
  {
    Agent agent(path_);
    fill(agent, 0, 60);
    settle(agent);
    fill(agent, 60, 120);
    database = read_file(path_ + "/journal.db");
    log = read_file(path_ + "/journal.db-wal");
  }
  constexpr std::size_t kFrame = kPage + 24;
  log[32 + 10 * kFrame + 100] ^= 4;
  write_file(path_ + "/journal.db", database);
  write_file(path_ + "/journal.db-wal", log);
  Agent agent(path_);
  ASSERT_NE(agent.desk, nullptr) << agent.error.what;
  const auto now = told(agent);
  EXPECT_EQ(now.size(), known_.size());
  int same = 0;
  for (const auto& [number, body] : now) same += known_.at(number) == body ? 1 : 0;
  EXPECT_GE(same, 36) << agent.told();
}

TEST_F(JournalOfNotes, TheyAreTakenWhereTheQueueIsFull) {
  JournalOptions options;
  options.directory = path_;
  options.max_bytes = 1 << 20;
  JournalRig rig([&](std::function<void()> wake) {
    auto journal = open_sqlite_journal(options, std::move(wake), nullptr);
    return journal ? std::move(*journal) : nullptr;
  });
  rig.lane("a");
  for (int n = 0; rig.stage({rig.record("s", std::string(50000, 'x'))}, {{1, std::to_string(n)}});)
    ASSERT_LT(++n, 100);
  ASSERT_TRUE(rig.all_stats().full);
  const auto both = rig.stage({rig.record("s", std::string(50000, 'x'))}, {{2, "x"}});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().code, Errc::full);
  EXPECT_TRUE(rig.stage({}, {{3, "alone"}}));
  rig.reopen();
  const auto all = rig.notes();
  EXPECT_EQ(all.count(2), 0U);
  EXPECT_EQ(all.at(3), "alone");
}

TEST_F(JournalOfNotes, TheDoctorCountsThemAndSeesTheirDamage) {
  {
    Agent agent(path_);
    fill(agent, 0, 50);
  }
  const auto says = [&](const char* what) {
    for (const Finding& f : examine_journal(path_, Wall(Duration(1'900'000'000'000'000))))
      if (f.what.find(what) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(says("40 notes, every checksum is right"));
  sql("UPDATE note SET data = CAST(substr(data, 1, length(data) - 1) || x'58' AS BLOB) "
      "WHERE number = 7");
  EXPECT_TRUE(says("1 notes are damaged"));
}

}  // namespace
}  // namespace checkrelay::damage
