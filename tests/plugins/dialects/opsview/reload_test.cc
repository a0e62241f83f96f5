// How sending goes on around a reload.
#include "tests/plugins/dialects/opsview/server.h"

namespace checkrelay::opsview {
namespace {

using namespace std::chrono_literals;

class OpsviewReloads : public Server {
 protected:
  OpsviewReloads() { use("status"); }
  Exchange signed_in(const std::string& reload = kRunning) {
    Exchange e = open({result("db1"), result("db2")});
    answer(e, 200, kVersions);
    answer(e, 200, kToken);
    answer(e, 200, reload);
    return e;
  }
  static void expect_held(const Exchange& e, Duration pause) {
    EXPECT_TRUE(e.closed);
    ASSERT_EQ(e.verdicts.size(), 2U);
    for (const Verdict& v : e.verdicts) {
      EXPECT_EQ(v.judgement, Judgement::held);
      EXPECT_EQ(v.retry_after, pause);
    }
  }
  static std::string lists(const std::string& host) {
    return R"({"list":{"hosts":[],"services":[{"hostname":")" + host +
           R"(","servicename":"Backup"}]}})";
  }
};

TEST_F(OpsviewReloads, ServerThatReloadsHoldsTheDestination) {
  expect_held(signed_in(kReloading), 20s);
}

TEST_F(OpsviewReloads, A409HoldsInBothShapesOfItsMessage) {
  for (const char* body : {R"({"server_status":"1","messages":"Reload already running"})",
                           R"({"server_status":"1","messages":["Reload already running"]})", ""}) {
    use("status");
    Exchange e = signed_in();
    answer(e, 409, body);
    expect_held(e, 15s);
  }
}

TEST_F(OpsviewReloads, A409SaysNothingOfItsLengthSoWhatIsKnownStands) {
  Exchange e =
      signed_in(R"({"server_status":"0","average_duration":"10","lastupdated":"1","messages":[]})");
  answer(e, 409, R"({"server_status":"1","messages":"Reload already running"})");
  expect_held(e, 5s);
}

TEST_F(OpsviewReloads, AfterAHoldTheServerIsAskedFirst) {
  Exchange held = signed_in(kReloading);
  pass(1s);
  Exchange again = open({result("db1"), result("db2")});
  EXPECT_EQ(again.last(), "GET /rest/reload");
  answer(again, 200, kReloading);
  expect_held(again, 20s);
  Exchange over = open({result("db1")});
  answer(over, 200, kRunning);
  EXPECT_EQ(over.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Backup");
}

TEST_F(OpsviewReloads, AMissAsksForTheReload) {
  Exchange e = signed_in();
  pass(5s);
  answer(e, 400, kNoObjects);
  EXPECT_EQ(e.last(), "GET /rest/reload");
  answer(e, 200, kReloading);
  expect_held(e, 20s);
}

TEST_F(OpsviewReloads, AMissWithoutAReloadIsAnUnknownObject) {
  Exchange e = signed_in();
  pass(5s);
  answer(e, 400, kNoObjects);
  answer(e, 200, kRunning);
  ASSERT_EQ(e.verdicts.size(), 1U);
  EXPECT_EQ(e.verdicts[0].judgement, Judgement::unknown_object);
  EXPECT_FALSE(e.verdicts[0].local);
  EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db2&svc.servicename=Backup");
}

TEST_F(OpsviewReloads, AMissShortlyAfterAReloadIsRetriedAndHoldsNobodyUp) {
  Exchange before = signed_in(kReloading);
  pass(20s);
  Exchange e = open({result("db1"), result("db2")});
  answer(e, 200, kRunning);
  answer(e, 400, kNoObjects);
  answer(e, 200, kRunning);
  ASSERT_EQ(e.verdicts.size(), 1U);
  EXPECT_EQ(e.verdicts[0].judgement, Judgement::transient);
  EXPECT_TRUE(e.verdicts[0].local);
  answer(e, 200, lists("db2"));
  EXPECT_EQ(e.verdicts.at(1).judgement, Judgement::delivered);
  pass(2min);
  Exchange later = open({result("db1")});
  answer(later, 200, kRunning);
  answer(later, 400, kNoObjects);
  answer(later, 200, kRunning);
  EXPECT_EQ(later.verdicts.at(0).judgement, Judgement::unknown_object);
}

TEST_F(OpsviewReloads, APendingChangeIsToldWithTheMiss) {
  constexpr const char* kPending = R"({"server_status":"0","configuration_status":"pending"})";
  Exchange e = signed_in(kPending);
  answer(e, 400, kNoObjects);
  answer(e, 200, kPending);
  EXPECT_NE(e.verdicts.at(0).answer.find("a change waits for a reload"), std::string::npos);
}

TEST_F(OpsviewReloads, AServerThatDoesNotRunIsDown) {
  Exchange e = signed_in(R"({"server_status":"2"})");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::transient);
}

TEST_F(OpsviewReloads, AServerThatDidNotRunGetsNothingBeforeItSaysThatItRuns) {
  signed_in(R"({"server_status":"2"})");
  for (int i = 0; i < 2; ++i) {
    Exchange still = open({result("db1")});
    EXPECT_EQ(still.last(), "GET /rest/reload");
    answer(still, 200, R"({"server_status":"2"})");
    EXPECT_EQ(still.verdicts.at(0).judgement, Judgement::transient);
  }
  Exchange again = open({result("db1")});
  answer(again, 200, kRunning);
  EXPECT_EQ(again.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Backup");
  Exchange later = open({result("db1")});
  EXPECT_EQ(later.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Backup");
}

TEST_F(OpsviewReloads, WarningsAndErrorsOfTheConfigurationStopNothing) {
  for (const char* status : {"3", "4"}) {
    use("status");
    Exchange e = signed_in(std::string(R"({"server_status":")") + status +
                           R"(","messages":[{"detail":"x"}]})");
    EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Backup");
  }
}

TEST_F(OpsviewReloads, WithoutTheRightToSeeItSendingGoesOn) {
  for (int status : {403, 404, 405}) {
    use("status");
    Exchange e = open({result("db1"), result("db2")});
    answer(e, 200, kVersions);
    answer(e, 200, kToken);
    answer(e, status, R"({"message":"Access denied"})");
    EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Backup");
    pass(1h - 10min);
    answer(e, 400, kNoObjects);
    EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::unknown_object);
  }
}

TEST_F(OpsviewReloads, TroubleWhileAskingIsTrouble) {
  Exchange e = open({result("db1")});
  answer(e, 200, kVersions);
  answer(e, 200, kToken);
  answer(e, 502, "");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::transient);
}

TEST_F(OpsviewReloads, AReloadMakesLookupsAnew) {
  use("detail");
  Exchange e = open({result("db1")});
  let_in(e);
  answer(e, 200, object("db1"));
  answer(e, 200, kSuccess);
  pass(30s);
  Exchange again = open({result("db1")});
  answer(again, 200, R"({"server_status":"0","lastupdated":"2"})");
  EXPECT_EQ(again.last(), "GET /rest/detail?hostname=db1&servicename=Backup");
}

}  // namespace
}  // namespace checkrelay::opsview
