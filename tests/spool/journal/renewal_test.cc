// A damaged journal that cannot be salvaged at once: nothing half made stays, nobody tries all the
// time, and when the cause is gone it goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/spool/journal/damage_rig.h"
#include "tests/spool/journal/power_loss_vfs.h"

namespace checkrelay::damage {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using power_loss::Call;
using power_loss::How;
using testing::HasSubstr;

class Renewal : public Damage {
 protected:
  void SetUp() override {
    Damage::SetUp();
    power_loss::install();
    power_loss::arm(0);
    options_.vfs = power_loss::kVfs;
    options_.clock = [this] { return now_; };
    auto damaged = bytes_;
    wipe_page(damaged, root_of(directory_.path() + "/sample", "lane"));
    options_.directory = place(damaged);
  }
  void TearDown() override { power_loss::heal(); }
  [[nodiscard]] std::string file(const char* end = "") const {
    return options_.directory + "/journal.db" + end;
  }
  Error error_at_opening() {
    auto store = SqliteStore::open(options_, nullptr);
    return store ? Error{} : store.error();
  }
  void expect_untouched() {
    EXPECT_FALSE(fs::exists(file(".salvaged")));
    EXPECT_FALSE(fs::exists(file(".salvaged-wal")));
    EXPECT_FALSE(fs::exists(file(".damaged-1")));
  }
  // An open store that has met damage.
  std::unique_ptr<SqliteStore> damaged_at_work() {
    options_.directory = place(bytes_);
    Database db;
    EXPECT_TRUE(db.open(file(), "") && db.exec("UPDATE log SET lanes = 0 WHERE first = 1"));
    db.close();
    auto store = SqliteStore::open(options_, nullptr);
    EXPECT_TRUE(store);
    EXPECT_EQ((*store)->log_after(0, ~LaneMask{0}), nullptr);
    EXPECT_TRUE((*store)->failed());
    return std::move(*store);
  }
  static bool attempt(SqliteStore& store) {
    store.begin(Sync::now);
    return store.commit().has_value();
  }

  SqliteStoreOptions options_;
  Steady now_{1h};
};

TEST_F(Renewal, AFullDiskLeavesNothingHalfMade) {
  power_loss::fail({Call::write, 10, How::full, true});
  EXPECT_EQ(error_at_opening().code, Errc::full);
  expect_untouched();
  power_loss::heal();
  EXPECT_EQ(error_at_opening().what, "");
  EXPECT_TRUE(fs::exists(file(".damaged-1")));
}

TEST_F(Renewal, WithoutRoomItIsNotBegun) {
  options_.free_bytes = [] { return 1000; };
  const auto error = error_at_opening();
  EXPECT_EQ(error.code, Errc::full);
  EXPECT_THAT(error.what, HasSubstr("to salvage it takes 1 MiB of disk where 0 MiB are free"));
  expect_untouched();
}

TEST_F(Renewal, AfterAFailureThereIsAPause) {
  auto store = damaged_at_work();
  power_loss::fail({Call::write, 0, How::full, true});
  EXPECT_FALSE(attempt(*store));
  const auto opened = power_loss::calls(Call::open);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(attempt(*store));
  EXPECT_EQ(power_loss::calls(Call::open), opened) << "in the pause nothing is tried";
  now_ += 5s;
  EXPECT_FALSE(attempt(*store));
  EXPECT_GT(power_loss::calls(Call::open), opened);
  power_loss::heal();
  now_ += 5s;
  EXPECT_FALSE(attempt(*store)) << "the second pause is longer";
  now_ += 5s;
  EXPECT_TRUE(attempt(*store));
  EXPECT_EQ(store->renewed(), 1U);
}

// The new one is whole and the damaged one is moved: it must not be begun again from nothing.
TEST_F(Renewal, WhatIsWholeIsNotMadeAgain) {
  auto store = damaged_at_work();
  std::ofstream(file("-shm")) << "x";
  fs::create_directories(file(".damaged-1-shm") + "/in the way");
  EXPECT_FALSE(attempt(*store));
  EXPECT_TRUE(fs::exists(file(".salvaged")));
  fs::remove_all(file(".damaged-1-shm"));
  EXPECT_TRUE(attempt(*store));
  EXPECT_EQ(store->renewed(), 1U);
  EXPECT_NE(store->log_after(0, ~LaneMask{0}), nullptr);
  EXPECT_EQ(store->lanes().size(), 2U);
}

}  // namespace
}  // namespace checkrelay::damage
