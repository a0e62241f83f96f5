// What is the SQLite journal's alone: restarts, limits, damage, housekeeping.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "spool/journal.h"
#include "spool/schema.h"
#include "spool/state_lock.h"
#include "tests/contract/journal_contract.h"
#include "tests/spool/journal/power_loss_vfs.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using End = Settlement::End;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SqliteJournal : public testing::Test {
 protected:
  SqliteJournal() { options_.directory = directory_.path() + "/state"; }
  void start() {
    rig_ = std::make_unique<JournalRig>([this](std::function<void()> wake) {
      auto journal = open_sqlite_journal(options_, std::move(wake), &reports_);
      return journal ? std::move(*journal) : nullptr;
    });
  }
  std::string database() const { return options_.directory + "/journal.db"; }
  Errc error_at_opening() {
    auto journal = open_sqlite_journal(options_, nullptr, nullptr);
    if (journal) return Errc::invalid;
    what_ = journal.error().what;
    return journal.error().code;
  }
  void sql(const char* text) {
    Database db;
    ASSERT_TRUE(db.open(database(), ""));
    ASSERT_TRUE(db.exec(text)) << db.what();
  }
  // `n` records of about `bytes` each, of subjects of their own.
  Result<std::vector<Stored>> fill(int n, std::size_t bytes) {
    std::vector<Record> records;
    for (int i = 0; i < n; ++i) {
      auto r = rig_->record(fmt::format("s{}", ++made_), std::string(bytes, 'x'));
      r.id = fmt::format("i{}", made_);
      records.push_back(std::move(r));
    }
    return rig_->stage(std::move(records));
  }
  void deliver_all() {
    for (auto claims = rig_->claim(); !claims.empty(); claims = rig_->claim()) {
      std::vector<Settlement> settlements;
      for (const Claim& c : claims) {
        Settlement s;
        s.seq = c.seq;
        s.end = End::delivered;
        settlements.push_back(s);
      }
      rig_->settle(0, settlements);
    }
  }

  TempDirectory directory_;
  JournalOptions options_;
  std::vector<std::string> reports_;
  std::string what_;
  int made_ = 0;
  std::unique_ptr<JournalRig> rig_;
};

TEST_F(SqliteJournal, RestartFreesClaims) {
  start();
  rig_->lane("a");
  rig_->put("s", "1");
  (void)rig_->claim();
  rig_->reopen();
  EXPECT_THAT(rig_->claim_bodies(), ElementsAre("1"));
}

TEST_F(SqliteJournal, WhatWasSettledStaysSettledAfterARestart) {
  start();
  rig_->lane("a");
  const Seq first = rig_->put("s", "1");
  const Seq second = rig_->put("t", "2");
  const Seq third = rig_->put("u", "3");
  (void)rig_->claim();
  rig_->settle(second, End::delivered);
  rig_->settle(third, End::dead, 0, "no");
  rig_->reopen();
  EXPECT_EQ(rig_->stats().delivered, 1U);
  EXPECT_EQ(rig_->stats().dead, 1U);
  EXPECT_EQ(rig_->claim().front().seq, first);
}

TEST_F(SqliteJournal, APutOffRecordRemembersItsTriesOverARestart) {
  start();
  rig_->lane("a");
  const Seq seq = rig_->put("s", "1");
  (void)rig_->claim();
  rig_->later(seq, 1h, true);
  rig_->reopen();
  const auto claims = rig_->claim();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].tries, 1U);
  EXPECT_EQ(claims[0].first_unknown, rig_->now().wall);
}

TEST_F(SqliteJournal, TheSameIdIsKnownAfterARestart) {
  start();
  rig_->lane("a");
  Record r = rig_->record("s", "1");
  r.id_given = true;
  const auto first = rig_->stage({r});
  rig_->reopen();
  const auto again = rig_->stage({r});
  EXPECT_TRUE(again->front().duplicate);
  EXPECT_EQ(again->front().seq, first->front().seq);
}

TEST_F(SqliteJournal, SeqsGoOnAfterADrainAndARestart) {
  options_.history_bytes = 0;
  start();
  rig_->lane("a");
  const Seq last = rig_->put("s", "1");
  deliver_all();
  rig_->reopen();
  EXPECT_GT(rig_->put("s", "2"), last);
}

TEST_F(SqliteJournal, LatestFindsItsIndexAgainAfterARestart) {
  start();
  const LaneId lane = rig_->lane("a", Backlog::latest);
  rig_->put("s", "1");
  rig_->put("t", "2");
  rig_->put("s", "3");
  rig_->reopen();
  rig_->put("t", "4");
  rig_->until([&] { return rig_->journal().stats().lanes[lane].claimable; });
  EXPECT_THAT(rig_->claim_bodies(lane), ElementsAre("3", "4"));
  EXPECT_EQ(rig_->stats(lane).superseded, 2U);
}

TEST_F(SqliteJournal, FilesAreTheOwnersAlone) {
  ::umask(0);
  start();
  rig_->lane("a");
  rig_->put("s", "1");
  struct stat st {};
  for (const char* name : {"", "/journal.db", "/journal.db-wal", "/lock"}) {
    ASSERT_EQ(stat((options_.directory + name).c_str(), &st), 0) << name;
    EXPECT_EQ(st.st_mode & 077, 0U) << name;
  }
}

TEST_F(SqliteJournal, ASecondProcessIsRefusedAndToldWhoIsThere) {
  start();
  EXPECT_EQ(error_at_opening(), Errc::refused);
  EXPECT_THAT(what_, HasSubstr(fmt::format("in use by process {}", getpid())));
}

TEST_F(SqliteJournal, ANewerFormatIsRefusedAndLeftAlone) {
  start();
  rig_.reset();
  sql("PRAGMA user_version=99");
  EXPECT_EQ(error_at_opening(), Errc::unsupported);
  EXPECT_THAT(what_, HasSubstr("newer"));
  sql("SELECT count(*) FROM log");
}

TEST_F(SqliteJournal, AForeignDatabaseIsRefusedAndLeftAlone) {
  std::filesystem::create_directory(options_.directory);
  sql("CREATE TABLE recipes(name TEXT)");
  EXPECT_EQ(error_at_opening(), Errc::unsupported);
  sql("SELECT name FROM recipes");
}

TEST_F(SqliteJournal, MigrationTakesEachStepOnce) {
  std::filesystem::create_directory(options_.directory);
  const std::array steps = {"CREATE TABLE a(x)", "ALTER TABLE a ADD COLUMN y"};
  Database db;
  ASSERT_TRUE(db.open(database(), ""));
  ASSERT_TRUE(migrate(db, std::span(steps).first(1)));
  ASSERT_TRUE(migrate(db, steps));
  ASSERT_TRUE(migrate(db, steps));
  EXPECT_TRUE(db.exec("SELECT x, y FROM a"));
}

TEST_F(SqliteJournal, AMigrationThatFailsLeavesTheVersionBefore) {
  std::filesystem::create_directory(options_.directory);
  const std::array steps = {"CREATE TABLE a(x)", "ALTER TABLE b ADD COLUMN y"};
  Database db;
  ASSERT_TRUE(db.open(database(), ""));
  EXPECT_FALSE(migrate(db, steps));
  db.close();
  db.clear_error();
  ASSERT_TRUE(db.open(database(), ""));
  EXPECT_TRUE(migrate(db, std::span(steps).first(1)));
}

TEST_F(SqliteJournal, FullIsSaidAndEndsWhenRoomIsMade) {
  options_.max_bytes = 2 << 20;
  start();
  rig_->lane("a");
  int stored = 0;
  while (stored < 1000) {
    auto answer = fill(10, 4000);
    if (!answer) {
      EXPECT_EQ(answer.error().code, Errc::full);
      break;
    }
    stored += 10;
  }
  ASSERT_LT(stored, 1000);
  EXPECT_TRUE(rig_->all_stats().full);
  EXPECT_LT(std::filesystem::file_size(database()), 2U << 20);
  deliver_all();
  rig_->until([&] { return !rig_->journal().stats().full; });
  EXPECT_TRUE(fill(10, 4000));
}

TEST_F(SqliteJournal, HistoryIsBoundedAndTheFileDoesNotGrow) {
  options_.history_bytes = 1 << 20;
  start();
  rig_->lane("a");
  std::uintmax_t after_ten = 0;
  for (int round = 0; round < 40; ++round) {
    ASSERT_TRUE(fill(100, 3000));
    deliver_all();
    if (round == 15) after_ten = std::filesystem::file_size(database());
  }
  EXPECT_LE(std::filesystem::file_size(database()), after_ten + (1 << 20));
  BrowseQuery query;
  query.what = BrowseQuery::What::delivered;
  query.limit = 100000;
  const auto rows = rig_->browse(query).rows.size();
  EXPECT_LT(rows, 1000U);
  EXPECT_GT(rows, 100U);
}

TEST_F(SqliteJournal, TheWriteAheadLogIsBounded) {
  start();
  rig_->lane("a");
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(fill(200, 2000));
  EXPECT_LT(std::filesystem::file_size(database() + "-wal"), 17U << 20);
}

TEST_F(SqliteJournal, GarbageInPlaceOfTheDatabaseIsMovedAside) {
  std::filesystem::create_directory(options_.directory);
  std::ofstream(database()) << std::string(20000, 'g');
  start();
  rig_->lane("a");
  rig_->put("s", "1");
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_THAT(reports_[0], HasSubstr("moved aside"));
  EXPECT_EQ(std::filesystem::file_size(database() + ".damaged-1"), 20000U);
  EXPECT_THAT(rig_->claim_bodies(), ElementsAre("1"));
}

TEST_F(SqliteJournal, ADamagedRecordIsReportedCountedAndSkipped) {
  start();
  rig_->lane("a");
  ASSERT_TRUE(rig_->stage(
      {rig_->record("s", "first"), rig_->record("t", "second"), rig_->record("u", "third")}));
  rig_.reset();
  sql("UPDATE log SET data = CAST(substr(data, 1, length(data) - 1) || x'58' AS BLOB)");
  reports_.clear();
  start();
  rig_->lane("a");
  EXPECT_THAT(rig_->claim_bodies(), ElementsAre("first", "second"));
  for (const Seq seq : {Seq{1}, Seq{2}}) rig_->settle(seq, End::delivered);
  rig_->until([&] { return rig_->journal().stats().lanes[0].pending == 0; });
  const LaneStats s = rig_->stats();
  EXPECT_EQ(s.delivered, 2U);
  EXPECT_EQ(s.expired, 1U);
}

class FaultyDisk : public SqliteJournal {
 protected:
  FaultyDisk() {
    power_loss::install();
    power_loss::arm(0);
    options_.vfs = power_loss::kVfs;
  }
  ~FaultyDisk() override { power_loss::heal(); }
  static void strike(power_loss::Call call, power_loss::How how = power_loss::How::io_error) {
    power_loss::fail({call, 0, how, true});
  }
  Errc code_of(const Result<std::vector<Stored>>& r) { return r ? Errc::invalid : r.error().code; }
};

TEST_F(FaultyDisk, AFullDiskIsFullToProducersUntilThereIsRoom) {
  start();
  rig_->lane("a");
  rig_->put("s", "1");
  strike(power_loss::Call::write, power_loss::How::full);
  EXPECT_EQ(code_of(rig_->stage({rig_->record("t", "2")})), Errc::full);
  EXPECT_TRUE(rig_->all_stats().full);
  EXPECT_THAT(rig_->all_stats().trouble, testing::Not(IsEmpty()));
  power_loss::heal();
  rig_->until([&] { return rig_->journal().stats().trouble.empty(); });
  rig_->put("u", "3");
  EXPECT_THAT(rig_->claim_bodies(), ElementsAre("1", "3"));
}

TEST_F(FaultyDisk, AFailedSyncIsNotSuccessAndIsRecoveredFrom) {
  start();
  rig_->lane("a");
  rig_->put("s", "1");
  strike(power_loss::Call::sync);
  Record r = rig_->record("t", "2");
  r.id_given = true;
  EXPECT_EQ(code_of(rig_->stage({r})), Errc::unavailable);
  power_loss::heal();
  rig_->until([&] { return rig_->journal().stats().trouble.empty(); });
  ASSERT_TRUE(rig_->stage({r}));
  EXPECT_THAT(rig_->claim_bodies(), ElementsAre("1", "2"));
}

TEST_F(FaultyDisk, SettlementsMadeDuringAFaultAreNotForgotten) {
  start();
  rig_->lane("a");
  const Seq seq = rig_->put("s", "1");
  (void)rig_->claim();
  strike(power_loss::Call::write);
  rig_->settle(seq, End::dead, 0, "no such host");
  power_loss::heal();
  rig_->until([&] { return rig_->journal().stats().trouble.empty(); });
  rig_->reopen();
  EXPECT_EQ(rig_->stats().dead, 1U);
  EXPECT_THAT(rig_->claim_bodies(), IsEmpty());
}

}  // namespace
}  // namespace checkrelay
