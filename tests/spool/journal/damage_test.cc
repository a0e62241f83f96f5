// Damage to the files between two runs: the agent starts, what cannot be read is moved aside and
// kept, told and counted, and everything else goes on.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <random>

#include "spool/btree_page.h"
#include "spool/journal.h"
#include "tests/spool/journal/damage_rig.h"

namespace checkrelay::damage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Damage, AWholeJournalIsServedInSilence) {
  const auto outcome = serve(place(bytes_), bytes_);
  EXPECT_EQ(outcome.lost + outcome.again, 0U);
  EXPECT_FALSE(outcome.told);
}

TEST_F(Damage, AFlippedBitInAnyPageLosesLittle) {
  std::mt19937_64 random(kSeed);
  Sum sum;
  for (std::size_t page = 0; page < bytes_.size() / kPage; ++page) {
    for (int i = 0; i < 12; ++i) {
      // Half of them where the page's own structure is.
      const std::size_t at = page * kPage + (i % 2 == 0 ? random() % 64 : random() % kPage);
      auto damaged = bytes_;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << random() % 8);
      try_one(damaged, fmt::format("byte {}", at), sum);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_LE(sum.most, 12U);
  tell("flipped bits, seed 20260601", sum);
}

TEST_F(Damage, WhoOnlyLooksChangesNothing) {
  for (std::size_t page = 0; page < bytes_.size() / kPage; ++page) {
    auto damaged = bytes_;
    damaged.replace(page * kPage, kPage, std::string(kPage, '\0'));
    const auto path = place(damaged);
    (void)read_sqlite_journal(path);
    EXPECT_TRUE(read_file(path + "/journal.db") == damaged) << "page " << page;
    EXPECT_EQ(std::distance(fs::directory_iterator(path), {}), 1) << "page " << page;
  }
}

TEST_F(Damage, APageOfNoiseOrOfZerosLosesWhatWasOnIt) {
  std::mt19937_64 random(kSeed);
  Sum sum;
  for (std::size_t page = 0; page < bytes_.size() / kPage; ++page) {
    std::string noise(kPage, '\0');
    try_one(std::string(bytes_).replace(page * kPage, kPage, noise), fmt::format("zero {}", page),
            sum);
    for (char& c : noise) c = static_cast<char>(random());
    try_one(std::string(bytes_).replace(page * kPage, kPage, noise), fmt::format("noise {}", page),
            sum);
    if (HasFatalFailure()) return;
  }
  tell("pages overwritten, seed 20260601", sum);
}

TEST_F(Damage, ATruncatedFileKeepsWhatIsLeft) {
  Sum sum;
  for (std::size_t page = 1; page < bytes_.size() / kPage; ++page) {
    try_one(bytes_.substr(0, page * kPage), fmt::format("{} pages left", page), sum);
    try_one(bytes_.substr(0, page * kPage + 1000), fmt::format("{} pages and a bit left", page),
            sum);
    if (HasFatalFailure()) return;
  }
  tell("truncations", sum);
}

TEST_F(Damage, WhatIsMissingIsToldByNumber) {
  // The first page of the log's rows that can be found.
  const auto at = bytes_.find(
                      "id30"
                      "30:") /
                  kPage * kPage;
  ASSERT_GT(at, 0U);
  const auto damaged = std::string(bytes_).replace(at, kPage, std::string(kPage, '\0'));
  const auto outcome = serve(place(damaged), damaged);
  EXPECT_GT(outcome.lost, 0U);
  EXPECT_THAT(last_report_, HasSubstr("of destination all"));
  EXPECT_THAT(last_report_, HasSubstr("missing are the numbers"));
}

TEST_F(Damage, AForeignFileIsMovedAsideUntouched) {
  const std::string foreign(30000, 'g');
  const auto path = place(foreign);
  Agent agent(path);
  ASSERT_NE(agent.desk, nullptr);
  EXPECT_TRUE(read_file(path + "/journal.db.damaged-1") == foreign);
  EXPECT_THAT(agent.reports, testing::ElementsAre(HasSubstr("0 records could be read")));
  EXPECT_TRUE(agent.stage({make(1)}));
}

TEST_F(Damage, ANewerJournalIsRefusedAndLeftUntouched) {
  auto newer = bytes_;
  newer[63] = 99;  // user_version, big-endian
  const auto path = place(newer);
  Agent agent(path);
  EXPECT_EQ(agent.error.code, Errc::unsupported);
  EXPECT_THAT(agent.error.what, HasSubstr("newer checkrelay"));
  EXPECT_TRUE(read_file(path + "/journal.db") == newer);
  EXPECT_FALSE(fs::exists(path + "/journal.db.damaged-1"));
}

// At no point of the renewal may a loss of power lose either of the two.
TEST_F(Damage, ARenewalThatWasCutShortIsFinished) {
  const auto damaged = std::string(bytes_).replace(0, kPage, std::string(kPage, 'x'));
  const auto path = place(damaged);
  write_file(path + "/journal.db.salvaged", "half a database");
  EXPECT_EQ(serve(path, damaged).lost, 0U);  // before it was whole

  const auto moved = place(damaged);
  fs::rename(moved + "/journal.db", moved + "/journal.db.damaged-1");
  write_file(moved + "/journal.db.salvaged", bytes_);
  write_file(moved + "/journal.db-wal", "of the damaged one");
  const auto outcome = serve(moved, damaged);
  EXPECT_EQ(outcome.lost, 0U);
  EXPECT_FALSE(outcome.told);
  EXPECT_EQ(read_file(moved + "/journal.db.damaged-1-wal"), "of the damaged one");
}

// A row of 64 MiB that goes on at a page that goes on at itself, a thousand times.
TEST(BtreePage, ACircleIsLeftAtOnce) {
  std::string page(kPage, '\0');
  page[0] = 13;                                                 // a leaf of a table
  page[3] = 4;                                                  // of 1024 cells
  for (std::size_t i = 0; i < 1024; ++i) page[8 + 2 * i] = 10;  // all at 2560
  page.replace(2560, 5, "\x9f\xff\xff\x7f\x01");
  int fetched = 0;
  const auto fetch = [&](std::uint32_t) {
    ++fetched;
    std::string next(kPage, '\0');
    next[3] = 7;
    return next;
  };
  for (std::size_t at = 2565; at < kPage; ++at) page[at] = 7;
  read_rows(page, 5, fetch, [](const StoredRow&) {});
  EXPECT_GT(fetched, 0);
  EXPECT_LE(fetched, 3);
}

}  // namespace
}  // namespace checkrelay::damage
