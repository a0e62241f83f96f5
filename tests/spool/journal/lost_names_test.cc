// Damage to what says which destination a lane is: nobody gets what is meant for another, and no
// pause is lifted.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <initializer_list>

#include "tests/spool/journal/damage_rig.h"

namespace checkrelay::damage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class LostNames : public Damage {
 protected:
  // The sample's journal, with one destination paused, and then without these tables.
  std::string without(std::initializer_list<const char*> tables) {
    const auto path = directory_.path() + "/sample";
    {
      Agent agent(path);
      EXPECT_TRUE(agent.desk->pause(1, true));
      EXPECT_TRUE(agent.desk->commit());
    }
    auto damaged = read_file(path + "/journal.db");
    for (const char* table : tables) wipe_page(damaged, root_of(path, table));
    return place(damaged);
  }
  const Destinations turned_ = {{"new", {}}, {"latest", {Backlog::latest, {}}}, {"all", {}}};
};

TEST_F(LostNames, ALostRowLosesNeitherTheNameNorThePause) {
  Agent agent(without({"lane"}), turned_);
  EXPECT_THAT(agent.lanes, testing::ElementsAre(2, 1, 0));
  EXPECT_THAT(agent.told(), HasSubstr("what destination all, latest had finished is not known"));
  EXPECT_FALSE(agent.stats(0).paused);
  EXPECT_TRUE(agent.stats(1).paused);
  agent.rest();
  EXPECT_THAT(agent.desk->claim(1, 1000, 64 << 20), IsEmpty());
  EXPECT_THAT(agent.desk->claim(2, 1000, 64 << 20), IsEmpty());
  EXPECT_GT(agent.drain(0).size(), 60U);
}

TEST_F(LostNames, ARowThatIsGoneWithoutDamageIsMissed) {
  const auto path = without({});
  Database db;
  ASSERT_TRUE(db.open(path + "/journal.db", ""));
  ASSERT_TRUE(db.exec("DELETE FROM lane WHERE id = 1"));
  db.close();
  Agent agent(path, turned_);
  EXPECT_THAT(agent.told(), HasSubstr("lane 1"));
  EXPECT_THAT(agent.lanes, testing::ElementsAre(2, 1, 0));
  EXPECT_TRUE(agent.stats(1).paused);
}

TEST_F(LostNames, WhoseNameIsLostTwiceIsDeliveredToNobody) {
  const auto path = without({"lane", "meta"});
  for (int start = 0; start < 2; ++start) {
    Agent agent(path, {turned_.rbegin(), turned_.rend() - 1});
    EXPECT_THAT(agent.lanes, testing::ElementsAre(2, 3)) << "those of before are not guessed";
    agent.rest();
    for (const LaneId lane : {0U, 1U}) {
      EXPECT_EQ(agent.stats(lane).name, fmt::format("?{}", lane));
      EXPECT_GT(agent.stats(lane).pending, 0U);
      EXPECT_TRUE(agent.stats(lane).paused);
    }
    for (LaneId lane = 0; lane < 4; ++lane)
      EXPECT_THAT(agent.desk->claim(lane, 1000, 64 << 20), IsEmpty());
    auto fresh = make(Sample::kRecords + 3 + start);
    fresh.lanes = 4 | 8;
    ASSERT_TRUE(agent.stage({fresh}));
    for (const LaneId lane : agent.lanes) EXPECT_EQ(agent.drain(lane).size(), 1U);
    if (start > 0) continue;
    EXPECT_THAT(agent.told(), HasSubstr("which destinations ?0, ?1 were"));
  }
}

TEST_F(LostNames, TheOnlyOneIsTakenOverAndWaitsForTheOperator) {
  const Destinations one = {{"only", {}}};
  const auto path = directory_.path() + "/one";
  fs::create_directory(path);
  {
    Agent agent(path, one);
    auto first = make(1), second = make(2);
    first.lanes = second.lanes = 1;
    ASSERT_TRUE(agent.stage({first, second}));
  }
  auto damaged = read_file(path + "/journal.db");
  for (const char* table : {"lane", "meta"}) wipe_page(damaged, root_of(path, table));
  write_file(path + "/journal.db", damaged);
  Agent agent(path, one);
  EXPECT_THAT(agent.lanes, testing::ElementsAre(0));
  EXPECT_THAT(agent.told(), HasSubstr("destination only takes over ?0"));
  agent.rest();
  EXPECT_THAT(agent.desk->claim(0, 1000, 64 << 20), IsEmpty());
  EXPECT_TRUE(agent.desk->pause(0, false));
  EXPECT_EQ(agent.drain(0).size(), 2U);
}

}  // namespace
}  // namespace checkrelay::damage
