#include "plugins/dialects/opsview/session.h"

#include <gtest/gtest.h>

namespace checkrelay::opsview {
namespace {

using namespace std::chrono_literals;

ReloadStatus status(int server_status, std::string last_updated = "1") {
  ReloadStatus s;
  s.server_status = server_status;
  s.last_updated = std::move(last_updated);
  s.average_duration = 100s;
  return s;
}

TEST(OpsviewSession, TheHourSlidesWithUse) {
  Session s;
  EXPECT_FALSE(s.signed_in(Steady(0s)));
  s.accept(Secret("t"), Steady(0s));
  EXPECT_TRUE(s.signed_in(Steady(58min)));
  EXPECT_FALSE(s.signed_in(Steady(59min)));
  s.used(Steady(50min));
  EXPECT_TRUE(s.signed_in(Steady(100min)));
  EXPECT_FALSE(s.signed_in(Steady(109min)));
}

TEST(OpsviewSession, OnlyTheTokenThatFailedIsDropped) {
  Session s;
  s.accept(Secret("new"), Steady(0s));
  s.drop(Secret("old"));
  EXPECT_TRUE(s.signed_in(Steady(1s)));
  s.drop(Secret("new"));
  EXPECT_FALSE(s.signed_in(Steady(1s)));
}

TEST(OpsviewSession, ReloadIsAskedForAtFirstAndThenNowAndThen) {
  Session s;
  EXPECT_TRUE(s.wants_reload_status(Steady(0s)));
  s.note(status(0), Steady(0s));
  EXPECT_FALSE(s.wants_reload_status(Steady(29s)));
  EXPECT_TRUE(s.wants_reload_status(Steady(30s)));
  s.hide_reload(Steady(30s));
  EXPECT_FALSE(s.wants_reload_status(Steady(1h)));
  s.accept(Secret("t"), Steady(1h));  // another user's rights, perhaps
  EXPECT_TRUE(s.wants_reload_status(Steady(1h)));
}

TEST(OpsviewSession, WhileItReloadsItIsAskedEveryTime) {
  Session s;
  s.note(status(1), Steady(0s));
  EXPECT_TRUE(s.wants_reload_status(Steady(1s)));
  EXPECT_EQ(s.hold(), Duration(50s));
  s.note(status(0), Steady(2s));
  EXPECT_FALSE(s.wants_reload_status(Steady(3s)));
}

TEST(OpsviewSession, AReloadLeavesThingsUnsettledForAsLongAsItTakes) {
  Session s;
  s.note(status(0), Steady(0s));
  EXPECT_FALSE(s.unsettled(Steady(0s)));
  s.note_reloading(Steady(10s));
  EXPECT_TRUE(s.unsettled(Steady(10h)));
  s.note(status(0), Steady(20s));
  EXPECT_TRUE(s.unsettled(Steady(119s)));
  EXPECT_FALSE(s.unsettled(Steady(120s)));
}

TEST(OpsviewSession, AReloadBetweenTwoQuestionsShowsByItsTime) {
  Session s;
  s.note(status(0, "1"), Steady(0s));
  s.remember({"db1", ""}, Steady(0s));
  s.note(status(0, "1"), Steady(30s));
  EXPECT_TRUE(s.knows({"db1", ""}, Steady(61s)));
  EXPECT_FALSE(s.unsettled(Steady(30s)));
  s.note(status(0, "2"), Steady(60s));
  EXPECT_FALSE(s.knows({"db1", ""}, Steady(61s)));
  EXPECT_TRUE(s.unsettled(Steady(61s)));
}

TEST(OpsviewSession, AHoldHasALimitWhateverTheServerSays) {
  Session s;
  EXPECT_EQ(s.hold(), Duration(15s));
  ReloadStatus long_one = status(1);
  long_one.average_duration = 24h;
  s.note(long_one, Steady(0s));
  EXPECT_EQ(s.hold(), Duration(150s));
}

TEST(OpsviewSession, ObjectsAreRememberedApart) {
  Session s;
  s.remember({"db1", "Backup"}, Steady(0s));
  EXPECT_TRUE(s.knows({"db1", "Backup"}, Steady(0s)));
  EXPECT_FALSE(s.knows({"db1", ""}, Steady(61s)));
  s.forget({"db1", "Backup"});
  EXPECT_FALSE(s.knows({"db1", "Backup"}, Steady(0s)));
}

TEST(OpsviewSession, AReloadBeforeANewLoginShowsByItsTimeToo) {
  Session s;
  s.note(status(0, "1"), Steady(0s));
  s.remember({"db1", ""}, Steady(0s));
  s.accept(Secret("t"), Steady(24h));
  s.note(status(0, "2"), Steady(24h));
  EXPECT_FALSE(s.knows({"db1", ""}, Steady(24h)));
  EXPECT_TRUE(s.unsettled(Steady(24h)));
}

TEST(OpsviewSession, WhoSeesNoReloadsTrustsNoObjectForLong) {
  Session s;
  s.hide_reload(Steady(0s));
  s.remember({"db1", ""}, Steady(0s));
  s.remember({"db2", ""}, Steady(9min));
  EXPECT_TRUE(s.knows({"db1", ""}, Steady(9min)));
  EXPECT_FALSE(s.knows({"db2", ""}, Steady(10min)));
  s.remember({"db2", ""}, Steady(10min));
  EXPECT_TRUE(s.knows({"db2", ""}, Steady(11min)));
  EXPECT_FALSE(s.knows({"db1", ""}, Steady(11min)));
}

TEST(OpsviewSession, WhoSeesNoReloadsTakesOneForOverInTime) {
  for (bool hidden_first : {true, false}) {
    Session s;
    if (hidden_first) s.hide_reload(Steady(0s));
    s.note_reloading(Steady(1s));
    if (!hidden_first) s.hide_reload(Steady(1s));
    EXPECT_TRUE(s.unsettled(Steady(60s))) << hidden_first;
    EXPECT_FALSE(s.unsettled(Steady(61s))) << hidden_first;
  }
}

}  // namespace
}  // namespace checkrelay::opsview
