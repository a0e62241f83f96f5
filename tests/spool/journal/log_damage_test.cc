// Damage to the write-ahead log of an agent that did not end in order: SQLite passes over it in
// silence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <random>

#include "spool/journal.h"
#include "tests/spool/journal/damage_rig.h"

namespace checkrelay::damage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// As after a kill: much is in the write-ahead log alone.
class LogDamage : public Damage {
 protected:
  void SetUp() override {
    Damage::SetUp();
    const auto path = place(bytes_);
    Agent agent(path);
    for (int n = 200; n < 260; n += 2) {
      const std::vector<Record> records{make(n), make(n + 1)};
      std::vector<Seq> seqs;
      ASSERT_TRUE(agent.stage(records, &seqs));
      for (std::size_t i = 0; i < seqs.size(); ++i) sample_.accepted[seqs[i]] = records[i].body;
    }
    bytes_ = read_file(path + "/journal.db");
    log_ = read_file(path + "/journal.db-wal");
    ASSERT_GT(log_.size(), 30 * kFrame);
    in_silence_ = 2;  // of the last commit: nothing tells it from one that a loss of power tore
  }
  Outcome serve_with(const std::string& log) { return serve(place(bytes_, log), bytes_); }
  static constexpr std::size_t kFrame = kPage + 24;
  std::string log_;
};

TEST_F(LogDamage, AWholeLogIsReadInSilence) {
  const auto outcome = serve_with(log_);
  EXPECT_EQ(outcome.lost, 0U);
  EXPECT_FALSE(outcome.told);
}

TEST_F(LogDamage, WhatIsBehindAFlippedBitGoesOn) {
  std::mt19937_64 random(kSeed);
  std::size_t lost = 0, most = 0;
  int cuts = 0;
  for (std::size_t at = 0; at < log_.size(); at += kFrame / 2, ++cuts) {
    auto damaged = log_;
    damaged[std::min(at + random() % 60, log_.size() - 1)] ^= 4;
    const auto outcome = serve_with(damaged);
    lost += outcome.lost;
    most = std::max(most, outcome.lost);
    if (HasFailure()) FAIL() << "seed " << kSeed << ", near " << at << ": " << last_report_;
  }
  std::cout << "damage: " << cuts << " flipped bits in the write-ahead log, seed " << kSeed << ": "
            << lost << " results lost, at most " << most << " by one\n";
  EXPECT_LE(most, 4U);
}

TEST_F(LogDamage, ATruncatedLogKeepsWhatIsLeft) {
  std::size_t before = sample_.accepted.size();
  for (std::size_t size = 32; size <= log_.size(); size += kFrame) {
    Agent agent(place(bytes_, log_.substr(0, size)));
    ASSERT_NE(agent.desk, nullptr) << agent.error.what;
    agent.rest();
    const auto found = agent.drain(0);
    std::size_t missing = 0;
    for (const auto& [seq, body] : sample_.accepted) {
      if (seq <= Sample::kRecords) continue;
      const auto it = found.find(seq);
      if (it == found.end()) {
        ++missing;
      } else {
        EXPECT_EQ(it->second, body);
      }
    }
    EXPECT_LE(missing, before) << "with more of it";
    before = missing;
  }
  EXPECT_EQ(before, 0U);
}

TEST_F(LogDamage, TheDamagedLogIsKeptAsItWas) {
  auto damaged = log_;
  damaged[kFrame * 4 + 100] ^= 4;
  const auto path = place(bytes_, damaged);
  Agent agent(path);
  ASSERT_NE(agent.desk, nullptr) << agent.error.what;
  EXPECT_TRUE(read_file(path + "/journal.db-wal.damaged-1") == damaged);
}

// Nothing was brought into the database yet: the destinations are in the log alone.
TEST_F(LogDamage, DestinationsThatAreInTheLogAloneKeepTheirRecords) {
  const auto young = directory_.path() + "/young";
  fs::create_directory(young);
  std::size_t accepted = 0;
  std::string database, log;
  {
    Agent agent(young);
    for (; accepted < 40; accepted += 2) {
      const int n = static_cast<int>(accepted);
      ASSERT_TRUE(agent.stage({make(n), make(n + 1)}));
    }
    database = read_file(young + "/journal.db");
    log = read_file(young + "/journal.db-wal");
  }
  const std::size_t frames = (log.size() - 32) / kFrame;
  for (std::size_t frame = 0; frame < frames; ++frame) {
    auto damaged = log;
    damaged[32 + frame * kFrame + 1000] ^= 4;
    Agent agent(place(database, damaged));
    ASSERT_NE(agent.desk, nullptr) << agent.error.what;
    agent.resume(0);
    EXPECT_GE(agent.drain(0).size() + 4, accepted) << "frame " << frame << ": " << agent.told();
  }
}

TEST_F(LogDamage, OtherDamageBesideItIsSalvagedToo) {
  auto damaged = log_;
  damaged[kFrame * 4 + 100] ^= 4;
  const auto id_page = root_of(directory_.path() + "/sample", "id");
  auto database = bytes_;
  wipe_page(database, id_page);
  Agent agent(place(database, damaged));
  ASSERT_NE(agent.desk, nullptr) << agent.error.what;
  const auto found = agent.drain(0);
  std::size_t behind = 0;
  for (const auto& [seq, body] : sample_.accepted)
    if (seq > Sample::kRecords + 20) behind += found.count(seq);
  EXPECT_GE(behind, 36U) << agent.told();
}

TEST_F(LogDamage, AnotherJournalsLogIsMovedAside) {
  const auto other = directory_.path() + "/other";
  fs::create_directory(other);
  Agent agent(other);
  for (int n = 0; n < 20; ++n) ASSERT_TRUE(agent.stage({make(n)}));
  const auto foreign = read_file(other + "/journal.db-wal");
  const auto database = bytes_;
  const auto path = place(database, foreign);
  Agent here(path);
  ASSERT_NE(here.desk, nullptr) << here.error.what;
  EXPECT_THAT(here.reports, testing::ElementsAre(HasSubstr("another journal's")));
  EXPECT_TRUE(read_file(path + "/journal.db-wal.foreign-1") == foreign);
  Desk::RetryJob dead{.lane = 0};
  while (!here.desk->retry_some(dead)) {
  }
  const auto found = here.drain(0);
  for (const auto& [seq, body] : sample_.accepted) {
    EXPECT_EQ(found.count(seq) + sample_.finished.count(seq), seq <= Sample::kRecords ? 1U : 0U);
  }
}

TEST_F(LogDamage, AFlippedBitInItsKeyDoesNotMakeItAnotherJournals) {
  auto damaged = bytes_;
  const auto at = damaged.find("hash_key");
  ASSERT_NE(at, std::string::npos);
  for (std::size_t key = at; (key = damaged.find("hash_key", key)) != std::string::npos; ++key)
    damaged[key + 8] ^= 4;
  const auto path = place(damaged, log_);
  Agent agent(path);
  EXPECT_FALSE(fs::exists(path + "/journal.db-wal.foreign-1"));
  EXPECT_GT(agent.drain(0).size(), 100U);
}

TEST_F(LogDamage, AMissingLogIsTold) {
  JournalOptions options;
  options.directory = place(bytes_);
  write_file(options.directory + "/lock", "4711\n");
  std::vector<std::string> reports;
  ASSERT_TRUE(open_sqlite_journal(options, nullptr, &reports));
  EXPECT_THAT(reports, testing::ElementsAre(HasSubstr("no write-ahead log")));
  ASSERT_TRUE(open_sqlite_journal(options, nullptr, &reports));
  EXPECT_THAT(reports, IsEmpty()) << "that end was in order";
}

}  // namespace
}  // namespace checkrelay::damage
