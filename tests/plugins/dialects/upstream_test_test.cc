#include "plugins/dialects/upstream_test.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using End = CommandReport::End;
using May = UpstreamTest::May;

const Credentials kLogin{"relay", Secret("hunter2-secret")};
const Wall kNow = Wall(std::chrono::seconds(784111777)) + std::chrono::milliseconds(400);

Message dated(const std::string& date) {
  Message m = Message::response(200, "{}", "application/json");
  m.headers.push_back({"Date", date});
  return m;
}

UpstreamTest test_at(const std::string& date) {
  UpstreamTest test;
  note_clock(test, dated(date), kNow);
  return test;
}

TEST(UpstreamTest, KeysComeInTheirOrder) {
  UpstreamTest test = test_at("Sun, 06 Nov 1994 08:49:39 GMT");
  test.system = "OP5 Monitor";
  test.version = "1.2";
  test.may_submit = May::yes;
  test.remarks = {"one", "two"};
  CommandReport report;
  tell(test, kLogin, report);
  EXPECT_EQ(report.end, End::done);
  EXPECT_EQ(report.json,
            R"({"system":"OP5 Monitor","version":"1.2","user":"relay","may_submit":true,)"
            R"("clock_difference_s":2,"remarks":["one","two"]})");
}

TEST(UpstreamTest, WhatIsNotKnownIsLeftOut) {
  UpstreamTest test;
  test.system = "X";
  CommandReport report;
  tell(test, {}, report);
  EXPECT_EQ(report.json, R"({"system":"X","may_submit":"unknown","remarks":[]})");
}

TEST(UpstreamTest, ClockIsTheServersMinusOurs) {
  EXPECT_EQ(test_at("Sun, 06 Nov 1994 08:49:37 GMT").clock_difference_s, 0);
  EXPECT_EQ(test_at("Sun, 06 Nov 1994 08:49:07 GMT").clock_difference_s, -30);
  EXPECT_TRUE(test_at("Sun, 06 Nov 1994 08:49:07 GMT").remarks.empty());
  EXPECT_EQ(test_at("soon").clock_difference_s, std::nullopt);
}

TEST(UpstreamTest, ClockFarOffIsRemarkedOnce) {
  UpstreamTest test = test_at("Sun, 06 Nov 1994 07:49:37 GMT");
  note_clock(test, dated("Sun, 06 Nov 1994 07:49:37 GMT"), kNow);
  ASSERT_EQ(test.remarks.size(), 1U);
  EXPECT_TRUE(test.remarks[0].starts_with("its clock is 3600 s behind ours"));
  EXPECT_TRUE(test_at("Sun, 06 Nov 1994 08:50:08 GMT")
                  .remarks.at(0)
                  .starts_with("its clock is 31 s ahead of ours"));
}

TEST(UpstreamTest, UserWhoMayNotSubmitIsRefusedWithTheReportAndTheReason) {
  UpstreamTest test;
  test.may_submit = May::no;
  test.remarks = {"no right"};
  CommandReport report;
  tell(test, kLogin, report);
  EXPECT_EQ(report.end, End::refused);
  EXPECT_EQ(report.what, "no right");
  EXPECT_NE(report.json.find(R"("may_submit":false)"), std::string::npos);
  tell({.may_submit = May::no}, kLogin, report);
  EXPECT_EQ(report.what, "this user may not submit results");
}

TEST(UpstreamTest, CredentialsThatAreNotTakenAreRefusedAllElseIsUnreachable) {
  CommandReport report;
  tell_failure({}, {0, Judgement::auth, "HTTP 401", std::nullopt}, kLogin, report);
  EXPECT_EQ(report.end, End::refused);
  EXPECT_EQ(report.what, "HTTP 401");
  for (Judgement j : {Judgement::transient, Judgement::config, Judgement::held}) {
    tell_failure({}, {0, j, "HTTP 502", std::nullopt}, kLogin, report);
    EXPECT_EQ(report.end, End::unreachable);
    EXPECT_EQ(report.what, "HTTP 502");
    EXPECT_EQ(report.json, "");
  }
}

TEST(UpstreamTest, SecretIsInNoText) {
  UpstreamTest test;
  test.version = "hunter2-secret";
  test.may_submit = May::no;
  test.remarks = {"said hunter2-secret\n\xff"};
  CommandReport report;
  tell(test, kLogin, report);
  EXPECT_EQ((report.json + report.what).find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace checkrelay
