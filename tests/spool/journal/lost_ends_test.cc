// Damage to what says that results have come to an end: they come again rather than never, and the
// books balance all the same.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "spool/memory_store.h"
#include "tests/spool/journal/damage_rig.h"

namespace checkrelay::damage {
namespace {

using testing::HasSubstr;

constexpr int kSubjects = 3, kRecords = 60;

class LostEnds : public testing::Test {
 protected:
  void SetUp() override {
    Agent agent(path(), destinations_);
    for (int n = 0; n < kRecords; ++n) {
      auto r = make(n);
      r.subject = fmt::format("s{}", n % kSubjects);
      r.lanes = 1;
      ASSERT_TRUE(agent.stage({r}));
    }
    ASSERT_EQ(agent.stats(0).pending, 2U * kSubjects);
    ASSERT_EQ(agent.stats(0).superseded, kRecords - 2U * kSubjects);
    agent.desk->save_all();
  }
  [[nodiscard]] std::string path() const { return directory_.path(); }
  [[nodiscard]] std::string file() const { return path() + "/journal.db"; }
  void expect_served() {
    Agent agent(path(), destinations_);
    ASSERT_NE(agent.desk, nullptr) << agent.error.what;
    for (int i = 0; i < 5; ++i) agent.rest();  // one row of the log at a time
    EXPECT_THAT(agent.told(), HasSubstr("damaged"));
    EXPECT_EQ(agent.stats(0).pending, 2U * kSubjects) << agent.told();
    EXPECT_EQ(agent.drain(0).size(), 2U * kSubjects);
    const auto s = agent.stats(0);
    EXPECT_EQ(s.pending, 0U);
    EXPECT_EQ(s.delivered + s.superseded + s.expired, std::uint64_t{kRecords}) << agent.told();
  }

  const Destinations destinations_ = {{"changes", {Backlog::changes, {}}}};
  TempDirectory directory_{TempDirectory::Place::memory};
};

TEST_F(LostEnds, AFlippedBitInWhatIsDoneIsNoticed) {
  auto bytes = read_file(file());
  const auto page = (root_of(path(), "done") - 1) * kPage;
  const auto bits = bytes.find_last_not_of('\0', page + kPage - 6);
  ASSERT_GT(bits, page);
  bytes[bits] = static_cast<char>(bytes[bits] ^ 1);
  write_file(file(), bytes);
  expect_served();
}

TEST_F(LostEnds, APageOfWhatIsDoneIsCountedAgain) {
  auto bytes = read_file(file());
  wipe_page(bytes, root_of(path(), "done"));
  write_file(file(), bytes);
  expect_served();
}

// Damage that shows while the agent runs, and nothing could be read.
class LosingStore : public MemoryStore {
 public:
  void begin(Sync) override {
    if (!std::exchange(lose_, false)) return;
    static_cast<MemoryStore&>(*this) = MemoryStore();
    ++renewed_;
  }
  Result<void> commit() override {
    if (std::exchange(fail_, false)) return fail(Errc::full, "no room");
    return MemoryStore::commit();
  }
  void set_hash_key(std::string_view key) override {
    ++keys;
    MemoryStore::set_hash_key(key);
  }
  [[nodiscard]] unsigned renewed() const override { return renewed_; }
  void lose() { lose_ = true; }
  void fail_once() { fail_ = true; }
  int keys = 0;

 private:
  bool lose_ = false, fail_ = false;
  unsigned renewed_ = 0;
};

class RenewalAtWork : public testing::Test {
 protected:
  RenewalAtWork() {
    EXPECT_TRUE(desk_.restore());
    EXPECT_TRUE(desk_.lanes({{"changes", {Backlog::changes, {}}}}));
    for (int n = 0; n < 9; ++n) stage(n);
  }
  void stage(int n) {
    auto r = make(n);
    r.subject = "s";
    r.lanes = 1;
    std::vector<Record> records{r};
    ASSERT_TRUE(desk_.stage(records));
    ASSERT_TRUE(desk_.commit());
  }
  LaneStats stats() const { return desk_.stats().lanes.at(0); }

  LosingStore store_;
  Desk desk_{store_, {}};
};

TEST_F(RenewalAtWork, WhatWasDoneIsWrittenWhole) {
  const auto key = store_.hash_key();
  store_.lose();
  stage(9);
  EXPECT_EQ(store_.hash_key(), key) << "or a subject would be two";
  ASSERT_EQ(store_.lanes().size(), 1U);
  EXPECT_FALSE(store_.lanes()[0].saved.done.empty());
}

TEST_F(RenewalAtWork, WhatItWritesIsWrittenAgainWhereTheCommitFails) {
  store_.lose();
  store_.fail_once();
  std::vector<Record> records{make(9)};
  ASSERT_TRUE(desk_.stage(records));
  ASSERT_FALSE(desk_.commit());
  EXPECT_EQ(store_.keys, 1);
  stage(10);
  EXPECT_EQ(store_.keys, 2);
  stage(11);
  EXPECT_EQ(store_.keys, 2);
}

TEST_F(RenewalAtWork, TheDeadThatAreGoneAreNotCounted) {
  const auto claims = desk_.claim(0, 1, 1000);
  ASSERT_EQ(claims.size(), 1U);
  Settlement s;
  s.seq = claims[0].seq;
  s.end = Settlement::End::dead;
  desk_.settle(0, {s});
  ASSERT_TRUE(desk_.commit());
  ASSERT_EQ(stats().dead, 1U);
  store_.lose();
  stage(9);
  EXPECT_EQ(stats().dead, 0U);
  EXPECT_EQ(stats().expired, 1U);
  EXPECT_THAT(desk_.take_reports(), testing::Contains(HasSubstr("1 dead")));
}

}  // namespace
}  // namespace checkrelay::damage
