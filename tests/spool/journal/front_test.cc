// The journal's front: what shares a commit, what its answers see, how it treats a sick disk.
#include <gtest/gtest.h>

#include <atomic>

#include "spool/journal_front.h"
#include "spool/memory_store.h"
#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

// Commits wait while it is held, and fail while it is sick.
class HeldStore : public MemoryStore {
 public:
  struct Control {
    std::mutex mutex{};
    std::condition_variable changed{};
    bool held = false, waiting = false, sick = false;
    int commits = 0;
  };
  explicit HeldStore(Control& control) : control_(control) {}
  Result<void> commit() override {
    std::unique_lock lock(control_.mutex);
    ++control_.commits;
    control_.waiting = true;
    control_.changed.notify_all();
    control_.changed.wait(lock, [this] { return !control_.held; });
    control_.waiting = false;
    if (control_.sick) return fail(Errc::unavailable, "the disk is sick");
    return {};
  }

 private:
  Control& control_;
};

class FrontTest : public testing::Test {
 protected:
  void start(bool threaded) {
    rig_ = std::make_unique<JournalRig>([this, threaded](std::function<void()> wake) {
      return std::make_unique<JournalFront>(std::make_unique<HeldStore>(control_), DeskOptions{},
                                            std::move(wake), threaded);
    });
    rig_->lane("a");
  }
  void hold(bool held) {
    const std::lock_guard lock(control_.mutex);
    control_.held = held;
    control_.changed.notify_all();
  }
  void until_held() {
    std::unique_lock lock(control_.mutex);
    control_.changed.wait(lock, [this] { return control_.waiting; });
  }
  int commits() {
    const std::lock_guard lock(control_.mutex);
    return control_.commits;
  }
  void stage(const std::string& body) {
    rig_->journal().stage({rig_->record(body, body)}, [this](const auto& stored) {
      EXPECT_TRUE(stored);
      ++stored_;
      staged_seen_.push_back(rig_->journal().stats().staged);
    });
    rig_->journal().flush();
  }

  HeldStore::Control control_;
  std::unique_ptr<JournalRig> rig_;
  int stored_ = 0;
  std::vector<std::uint64_t> staged_seen_;
};

TEST_F(FrontTest, ClaimsBetweenSubmissionsDoNotSplitTheirCommit) {
  start(true);
  const int before = commits();
  hold(true);
  stage("first");
  until_held();
  for (const char* body : {"2", "3", "4", "5"}) {
    stage(body);
    rig_->journal().claim(0, 0, 0, [](const auto&) {});
    rig_->journal().flush();
  }
  hold(false);
  rig_->until([this] { return stored_ == 5; });
  EXPECT_EQ(commits() - before, 2);
}

TEST_F(FrontTest, AnAnswerSeesWhatIsStillStaged) {
  start(false);
  stage("1");
  stage("22");
  rig_->journal().poll(rig_->now());
  const std::uint64_t second = rig_->record("22", "22").id.size() + 4;
  EXPECT_EQ(staged_seen_, (std::vector<std::uint64_t>{second, 0}));
  EXPECT_EQ(rig_->journal().stats().staged, 0U);
}

TEST_F(FrontTest, WhatCouldNotBeStoredIsNotCountedAsDone) {
  start(false);
  const Seq seq = rig_->put("s", "1");
  (void)rig_->claim();
  rig_->settle(seq, Settlement::End::dead);
  control_.sick = true;
  EXPECT_EQ(rig_->retry({seq}), 0U);
  EXPECT_EQ(rig_->journal().stats().trouble, "the disk is sick");
  EXPECT_EQ(rig_->drop({seq}), 0U);
}

TEST_F(FrontTest, ASickDiskIsNotTriedForEveryQuestion) {
  start(false);
  const Seq seq = rig_->put("s", "1");
  (void)rig_->claim();
  control_.sick = true;
  rig_->settle(seq, Settlement::End::delivered);
  const int before = commits();
  for (int i = 0; i < 200; ++i) (void)rig_->claim();
  EXPECT_LT(commits() - before, 100);  // one a second
  EXPECT_FALSE(rig_->journal().stats().lanes.at(0).claimable);
}

TEST_F(FrontTest, AProducerIsServedBetweenTheStepsOfARetryOfAll) {
  start(true);
  std::vector<Record> records;
  for (int i = 0; i < 900; ++i) records.push_back(rig_->record(std::to_string(i), "x"));
  ASSERT_TRUE(rig_->stage(std::move(records)));
  std::vector<Settlement> dead;
  for (const Claim& c : rig_->claim()) dead.push_back({.seq = c.seq, .end = Settlement::End::dead});
  rig_->settle(0, std::move(dead));
  rig_->commit();
  hold(true);
  std::optional<std::size_t> retried;
  int stored_before = 0;
  rig_->journal().retry(std::nullopt, {}, [&](std::size_t n) {
    retried = n;
    stored_before = stored_;
  });
  rig_->journal().flush();
  until_held();
  stage("meanwhile");
  hold(false);
  rig_->until([&] { return retried.has_value(); });
  EXPECT_EQ(retried, 900U);
  EXPECT_EQ(stored_before, 1);
}

TEST_F(FrontTest, ARetryOfAllEndsWithTheDisk) {
  start(false);
  const Seq seq = rig_->put("s", "1");
  (void)rig_->claim();
  rig_->settle(seq, Settlement::End::dead);
  control_.sick = true;
  EXPECT_EQ(rig_->retry({}), 0U);
  EXPECT_EQ(rig_->journal().stats().trouble, "the disk is sick");
}

}  // namespace
}  // namespace checkrelay
