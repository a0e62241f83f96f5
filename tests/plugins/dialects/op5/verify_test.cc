#include "plugins/dialects/op5/verify.h"

#include <gtest/gtest.h>

#include "plugins/dialects/op5/dialect.h"

namespace checkrelay::op5 {
namespace {

using namespace std::chrono_literals;

const Wall kWall = Wall(784111777s);  // Sun, 06 Nov 1994 08:49:37 GMT
const Subject kBackup{"db1", "Backup"};

Instant at(Duration d) { return {Steady(d), kWall + d}; }

Message confirmation(const std::string& date = "Sun, 06 Nov 1994 08:49:37 GMT") {
  Message m = Message::response(200, R"({"result":"ok"})", "application/json");
  if (!date.empty()) m.headers.push_back({"Date", date});
  return m;
}

Object object(const Subject& s, std::optional<std::int64_t> last_check,
              std::optional<bool> passive = true) {
  return {s, last_check, passive};
}

class Op5Verify : public testing::Test {
 protected:
  void confirm(const Subject& s, Duration when = 0s) {
    verifier_.confirmed(s, confirmation(), Steady(when), at(when));
  }
  void judge(const Object& o, const Message& answer = confirmation()) {
    verifier_.confirmed(kBackup, answer, Steady(0s), at(0s));
    verifier_.judge(verifier_.next(at(100s)), {o});
  }
  void expect(std::uint64_t applied, std::uint64_t lost, std::uint64_t unclear) {
    const ReadBack& r = verifier_.found();
    EXPECT_EQ(r.applied, applied);
    EXPECT_EQ(r.not_applied, lost);
    EXPECT_EQ(r.unclear, unclear);
  }
  Verifier verifier_{"central"};
};

TEST_F(Op5Verify, AppliedResultIsWell) {
  judge(object(kBackup, 784111777));
  expect(1, 0, 0);
  EXPECT_EQ(verifier_.found().last, "");
}

TEST_F(Op5Verify, OlderLastCheckMeansThatItWasLost) {
  judge(object(kBackup, 784111777 - kSlack - 1));
  expect(0, 1, 0);
  EXPECT_EQ(verifier_.found().last, "db1;Backup: its last check there is older than the result");
  judge(object(kBackup, 0));
  expect(0, 2, 0);
}

TEST_F(Op5Verify, RequestThatTookLongMayHaveBeenStampedAtItsBeginning) {
  verifier_.confirmed(kBackup, confirmation(), Steady(0s), at(12s));
  verifier_.judge(verifier_.next(at(100s)), {object(kBackup, 784111777 - 12 - kSlack)});
  expect(1, 0, 0);
}

TEST_F(Op5Verify, PassiveChecksThatAreOffLoseItWhateverWasCheckedActively) {
  judge(object(kBackup, 784119999, false));
  expect(0, 1, 0);
  EXPECT_EQ(verifier_.found().last, "db1;Backup: passive checks of it are off there");
}

TEST_F(Op5Verify, WhatCannotBeSeenIsUnclearAndBlamesNobody) {
  judge(object({"db1", "backup"}, 784111777));
  judge(object(kBackup, std::nullopt));
  judge(object(kBackup, 5), confirmation(""));
  judge(object(kBackup, 5), confirmation("soon"));
  expect(0, 0, 4);
  EXPECT_EQ(verifier_.found().last, "");
}

TEST_F(Op5Verify, CoreGetsAMomentAndQuestionsAreRare) {
  EXPECT_EQ(verifier_.due(), std::nullopt);
  confirm(kBackup, 1s);
  EXPECT_EQ(verifier_.due(), Steady(1s + kSettle));
  EXPECT_EQ(verifier_.next(at(11s)).size(), 1U);
  EXPECT_EQ(verifier_.due(), std::nullopt);
  confirm(kBackup, 12s);
  EXPECT_EQ(verifier_.due(), Steady(11s + kEvery));
}

TEST_F(Op5Verify, QuestionThatFailedIsNotRepeatedSoon) {
  confirm(kBackup);
  verifier_.missed(verifier_.next(at(10s)), "HTTP 403", at(10s));
  expect(0, 0, 1);
  confirm(kBackup, 11s);
  EXPECT_EQ(verifier_.due(), Steady(Duration(10s) + kAfterMiss));
}

TEST_F(Op5Verify, SubjectWaitsOnceAndNotMoreThanItsLimitWait) {
  for (int i = 0; i < 3; ++i) confirm(kBackup);
  EXPECT_EQ(verifier_.next(at(100s)).size(), 1U);
  for (std::size_t i = 0; i < 2 * kMostWaiting; ++i) confirm({"h" + std::to_string(i), ""});
  std::size_t asked = 0;
  while (verifier_.due()) {
    const std::size_t n = verifier_.next(at(1h)).size();
    EXPECT_LE(n, kMostObjects);
    EXPECT_GE(n, 1U);
    asked += n;
  }
  EXPECT_EQ(asked, kMostWaiting);
}

TEST_F(Op5Verify, OneQuestionIsOfOneKindAndOfWhatHasSettled) {
  confirm({"a", ""});
  confirm({"a", "s"});
  confirm({"b", ""});
  confirm({"c", ""}, 8s);
  const auto first = verifier_.next(at(12s));
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].subject.host, "b");
  EXPECT_EQ(verifier_.next(at(12s)).at(0).subject.service, "s");
  EXPECT_EQ(verifier_.next(at(18s)).at(0).subject.host, "c");
}

TEST_F(Op5Verify, LongNamesMakeShortQuestions) {
  for (int i = 0; i < 8; ++i) confirm({std::string(1000, char('a' + i)), ""});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(verifier_.next(at(100s)).size(), 1U);
}

// --- through the destination

class Op5ReadBack : public testing::Test {
 protected:
  void open(bool verify) {
    Options o;
    o.set("url", std::string("https://m.example.com"));
    o.set("username", std::string("relay"));
    o.set("password", Secret("hunter2"));
    o.set("verify", verify);
    o.set("name", std::string("central"));
    outbound_ = std::move(op5_dialect().outbound(o).value());
    reads_ = outbound_->reads_back();
    ASSERT_NE(reads_, nullptr);
  }
  void deliver(const Message& answer) {
    CheckResult r;
    r.subject = kBackup;
    auto conversation = outbound_->open(std::span(&r, 1));
    Actions out;
    conversation->start(at(0s), out);
    conversation->receive(answer, at(0s), out);
    ASSERT_EQ(out.verdicts.size(), 1U);
    EXPECT_EQ(out.send.size(), 1U);  // nothing beside the result
  }
  void answer(const Message& m) {
    auto question = reads_->read_back(at(10s));
    Actions out;
    question->start(at(10s), out);
    asked_ = out.send.at(0);
    question->receive(m, at(10s), out);
    EXPECT_TRUE(out.close);
    EXPECT_TRUE(out.verdicts.empty());
  }
  std::unique_ptr<Outbound> outbound_;
  ReadsBack* reads_ = nullptr;
  Message asked_;
};

TEST_F(Op5ReadBack, NobodyLooksUnlessAsked) {
  open(false);
  deliver(confirmation());
  EXPECT_EQ(reads_->read_back_due(), std::nullopt);
  EXPECT_EQ(reads_->read_back_found(), nullptr);
}

TEST_F(Op5ReadBack, OnlyWhatWasConfirmedIsLookedFor) {
  open(true);
  deliver(Message::response(400, R"({"error":"x"})", "application/json"));
  deliver(Message::response(500, "", "text/plain"));
  EXPECT_EQ(reads_->read_back_due(), std::nullopt);
  deliver(confirmation());
  EXPECT_EQ(reads_->read_back_due(), Steady(10s));
}

TEST_F(Op5ReadBack, AsksTheFilterApiWithItsCredentials) {
  open(true);
  deliver(confirmation());
  answer(Message::response(
      200, R"([{"host":{"name":"db1"},"description":"Backup","last_check":784111777}])",
      "application/json"));
  EXPECT_EQ(asked_.method, "GET");
  EXPECT_TRUE(asked_.target.starts_with("https://m.example.com/api/filter/query?"));
  EXPECT_EQ(asked_.target.find("hunter2"), std::string::npos);
  ASSERT_TRUE(asked_.credentials);
  EXPECT_EQ(reads_->read_back_found()->applied, 1U);
}

TEST_F(Op5ReadBack, AnswersThatAreNoListAreUnclear) {
  for (const Message& m : {Message::response(200, "<html></html>", "text/html"),
                           Message::response(200, std::string(200000, '['), "application/json"),
                           Message::response(403, R"({"error":"no"})", "application/json"),
                           Message::failure(Trouble::timeout, "slow"), Message::bytes("[]")}) {
    open(true);
    deliver(confirmation());
    answer(m);
    EXPECT_EQ(reads_->read_back_found()->unclear, 1U);
    EXPECT_EQ(reads_->read_back_found()->not_applied, 0U);
  }
}

}  // namespace
}  // namespace checkrelay::op5
