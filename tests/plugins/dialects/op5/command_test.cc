// `upstream NAME test` against scripted answers.
#include <gtest/gtest.h>

#include "plugins/dialects/op5/dialect.h"

namespace checkrelay {
namespace {

using End = CommandReport::End;

constexpr const char* kMissing = R"({"error":"Invalid parameters","full_error":"host_name"})";
constexpr const char* kCore =
    R"([{"program_version":"1.4.2","accept_passive_host_checks":1,"accept_passive_service_checks":1}])";

Message json(int status, const std::string& body) {
  return Message::response(status, body, "application/json");
}

class Op5Command : public testing::Test {
 protected:
  CommandReport test(const std::vector<Message>& answers, std::string user = "relay",
                     std::string url = "https://m.example.com") {
    Options o;
    o.set("url", std::move(url));
    if (!user.empty()) o.set("password", Secret("hunter2-secret"));
    o.set("username", std::move(user));
    outbound_ = std::move(op5_dialect().outbound(o).value());
    auto report = std::make_shared<CommandReport>();
    const std::vector<std::string> words = {"test"};
    auto conversation = std::move(outbound_->command(words, report).value());
    Actions out;
    conversation->start({}, out);
    for (const Message& answer : answers) {
      EXPECT_FALSE(out.close);
      conversation->receive(answer, {}, out);
    }
    if (!out.close) conversation->finish({}, out);
    EXPECT_TRUE(out.close);
    EXPECT_EQ(out.verdicts.size(), 1U);
    sent_ = out.send;
    return *report;
  }
  std::unique_ptr<Outbound> outbound_;
  std::vector<Message> sent_;
};

bool has(const CommandReport& report, std::string_view text) {
  return report.json.find(text) != std::string::npos;
}

TEST_F(Op5Command, SaysWhatIsThereAndThatResultsMayBeSubmitted) {
  Message answer = json(400, kMissing);
  answer.headers.push_back({"Date", "Thu, 01 Jan 1970 00:00:02 GMT"});
  const CommandReport report = test({answer, json(200, kCore)});
  EXPECT_EQ(report.end, End::done);
  EXPECT_EQ(report.json,
            R"({"system":"OP5 Monitor","version":"1.4.2","user":"relay","may_submit":true,)"
            R"("clock_difference_s":2,"remarks":[]})");
}

TEST_F(Op5Command, SendsNoResult) {
  test({json(400, kMissing), json(200, kCore)});
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_EQ(sent_[0].body, "{}");
  EXPECT_EQ(sent_[1].method, "GET");
  for (const Message& m : sent_) {
    ASSERT_TRUE(m.credentials);
    EXPECT_EQ(m.credentials->secret.reveal(), "hunter2-secret");
  }
}

TEST_F(Op5Command, CredentialsThatAreNotTakenAreRefusedWithTheModuleInMind) {
  for (int status : {401, 403}) {
    const CommandReport report = test({json(status, R"({"error":"Unauthorized"})")});
    EXPECT_EQ(report.end, End::refused);
    EXPECT_TRUE(report.what.starts_with("HTTP " + std::to_string(status)));
    EXPECT_TRUE(has(report, R"("may_submit":false)"));
    EXPECT_TRUE(has(report, "NAME$MODULE"));
  }
  EXPECT_TRUE(has(test({json(401, "")}, "relay$LDAP"), R"(module \"LDAP\" was asked)"));
  EXPECT_TRUE(has(test({json(401, "")}, ""), "no username is configured"));
}

TEST_F(Op5Command, WhatCannotBeReachedOrIsNoApiIsUnreachable) {
  for (const Message& answer :
       {Message::failure(Trouble::connect, "refused"), Message::failure(Trouble::tls, "expired"),
        json(404, "<html></html>"), json(502, ""), json(200, "<html></html>"), json(405, "{}")}) {
    const CommandReport report = test({answer});
    EXPECT_EQ(report.end, End::unreachable);
    EXPECT_FALSE(report.what.empty());
    EXPECT_EQ(report.json, "");
  }
  EXPECT_EQ(test({}).what, "ended without an answer");
}

TEST_F(Op5Command, PassiveChecksThatAreOffAreRemarked) {
  const CommandReport report = test(
      {json(404, kMissing),
       json(200, R"([{"accept_passive_host_checks":0,"accept_passive_service_checks":"0"}])")});
  EXPECT_EQ(report.end, End::done);
  EXPECT_TRUE(has(report, "passive host checks are off"));
  EXPECT_TRUE(has(report, "passive service checks are off"));
}

TEST_F(Op5Command, FilterApiThatSaysNothingCostsTheVersionAlone) {
  for (const Message& answer : {json(403, R"({"error":"no"})"), json(404, ""), json(200, "{}"),
                                Message::failure(Trouble::timeout, "slow")}) {
    const CommandReport report = test({json(400, kMissing), answer});
    EXPECT_EQ(report.end, End::done);
    EXPECT_TRUE(has(report, R"("may_submit":true)"));
    EXPECT_TRUE(has(report, "`verify` would not work"));
    EXPECT_FALSE(has(report, R"("version")"));
  }
}

TEST_F(Op5Command, ServerThatConfirmsANonsenseIsNotTrusted) {
  const CommandReport report = test({json(200, R"({"result":"ok"})"), json(200, kCore)});
  EXPECT_TRUE(has(report, R"("may_submit":"unknown")"));
  EXPECT_TRUE(has(report, "even a command without a host"));
}

TEST_F(Op5Command, PasswordInTheClearIsRemarked) {
  const std::vector<Message> answers = {json(400, kMissing), json(200, kCore)};
  EXPECT_TRUE(has(test(answers, "relay", "http://m"), "travels readable"));
  EXPECT_TRUE(has(test(answers, "", "http://m"), R"("remarks":[])"));
}

TEST_F(Op5Command, EchoedSecretIsInNoReport) {
  const CommandReport report = test({json(401, "hunter2-secret is wrong")});
  EXPECT_EQ((report.json + report.what).find("hunter2"), std::string::npos);
}

TEST_F(Op5Command, OtherWordsAreRefused) {
  test({json(400, kMissing), json(200, kCore)});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"tests"}, {"test", "it"}})
    EXPECT_FALSE(outbound_->command(words, std::make_shared<CommandReport>()));
}

}  // namespace
}  // namespace checkrelay
