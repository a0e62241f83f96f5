#include "tests/plugins/dialects/groundwork/server.h"

namespace checkrelay::groundwork {
namespace {

using namespace std::chrono_literals;

Message good(const Message& m) { return results(m); }
Message text(int status, std::string body) {
  return Message::response(status, std::move(body), "text/plain");
}

std::string login_with(const std::string& encoding) {
  Options o = options();
  o.set("login_encoding", encoding);
  Exchanges x(o);
  x.run(services(1), good);
  return x.logins.at(0).body;
}

TEST(GroundWorkLogin, SpeaksEachEncoding) {
  EXPECT_EQ(login_with("base64"),
            "user=cmVsYXk%3D&password=aHVudGVyMi1zZWNyZXQ%3D&gwos-app-name=checkrelay");
  EXPECT_EQ(login_with("plain"), "user=relay&password=hunter2-secret&gwos-app-name=checkrelay");
  EXPECT_EQ(login_with("base64_user"),
            "user=cmVsYXk%3D&password=hunter2-secret&gwos-app-name=checkrelay");
}

TEST(GroundWorkLogin, IsAFormWithoutSecretsInItsUrl) {
  Exchanges x;
  x.run(services(1), good);
  EXPECT_EQ(x.logins.at(0).target, "https://gw.example.com/api/auth/login");
  EXPECT_EQ(*x.logins[0].header("accept"), "text/plain");
  EXPECT_EQ(*x.logins[0].header("content-type"), "application/x-www-form-urlencoded");
}

TEST(GroundWorkLogin, IsAskedForAsXmlWhereTextIsNotAcceptable) {
  Exchanges x;
  x.login = [&](const Message& m) {
    return *m.header("accept") == "application/xml" ? text(200, "0123456789abcdef") : text(406, "");
  };
  EXPECT_EQ(count(x.run(services(1), good), Judgement::delivered), 1U);
  EXPECT_EQ(x.logins.size(), 2U);
}

TEST(GroundWorkLogin, FailuresFallIntoTheirClass) {
  struct Case {
    Message answer;
    Judgement judgement;
  };
  const std::vector<Case> cases = {
      {text(401, ""), Judgement::auth},
      {text(403, ""), Judgement::auth},
      {text(404, "password is wrong"), Judgement::auth},
      {text(404, ""), Judgement::config},
      {Message::response(404, "<html>", "text/html"), Judgement::config},
      {text(400, "missing"), Judgement::config},
      {text(406, ""), Judgement::config},
      {Message::response(302, "", "text/html"), Judgement::config},
      {Message::response(200, "<html></html>", "text/html"), Judgement::config},
      {text(200, ""), Judgement::config},
      {text(200, "two words"), Judgement::config},
      {text(503, ""), Judgement::transient},
      {text(502, ""), Judgement::transient},
      {Message::failure(Trouble::tls, "certificate"), Judgement::config},
      {Message::failure(Trouble::timeout, "slow"), Judgement::transient},
  };
  for (const Case& c : cases) {
    Exchanges x;
    x.login = [&](const Message&) { return c.answer; };
    auto verdicts = x.run(services(2), good);
    EXPECT_EQ(count(verdicts, c.judgement), 2U) << c.answer.status << c.answer.body;
    EXPECT_TRUE(verdicts.at(0).answer.starts_with("login: ")) << verdicts.at(0).answer;
    EXPECT_TRUE(x.asked.empty());
  }
}

TEST(GroundWorkLogin, AnExpiredTokenCostsOneLoginAndOnlyWhatWasNotAcknowledgedGoesAgain) {
  Options o = options();
  o.set("batch_bytes", 1500LL);
  Exchanges x(o);
  x.run({result("first")}, good);
  int asked = 0;
  auto verdicts = x.run(
      services(20), [&](const Message& m) { return ++asked == 2 ? json(401, "") : results(m); });
  EXPECT_EQ(count(verdicts, Judgement::delivered), 20U);
  EXPECT_EQ(x.logins.size(), 2U);
  std::map<std::string, int> sent;
  for (std::size_t i = 1; i < x.asked.size(); ++i) {
    if (i == 2) continue;  // the refused one
    for (const auto& item : items_of(x.asked[i])) ++sent[entity(item)];
  }
  EXPECT_EQ(sent.size(), 20U);
  for (const auto& [name, times] : sent) EXPECT_EQ(times, 1) << name;
}

TEST(GroundWorkLogin, RefusalOfAFreshTokenIsForWantOfRightsAndLogsOut) {
  Exchanges x;
  auto verdicts = x.run(services(3), [](const Message&) { return json(401, ""); });
  EXPECT_EQ(count(verdicts, Judgement::auth), 3U);
  EXPECT_EQ(x.logins.size(), 1U);
  ASSERT_EQ(x.afterwards.size(), 1U);
  EXPECT_TRUE(x.afterwards[0].target.ends_with("/auth/logout"));
}

TEST(GroundWorkLogin, OneReloginIsAllThatAConversationTries) {
  Exchanges x;
  x.run({result("first")}, good);
  auto verdicts = x.run(services(3), [](const Message&) { return json(401, ""); });
  EXPECT_EQ(count(verdicts, Judgement::auth), 3U);
  EXPECT_EQ(x.logins.size(), 2U);
}

// Two conversations at once, by hand.
class TwoAtOnce : public testing::Test {
 protected:
  void SetUp() override {
    outbound_ = std::move(groundwork_dialect().outbound(options()).value());
    a_ = outbound_->open(services(1));
    b_ = outbound_->open(services(2));
    a_->start(now_, from_a_);
    b_->start(now_, from_b_);
  }
  void expire_b() {
    now_.steady = *b_->deadline();
    b_->expire(now_, from_b_);
  }
  Instant now_{Steady(1h), Wall(1h)};
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<Conversation> a_, b_;
  Actions from_a_, from_b_;
};

TEST_F(TwoAtOnce, OnlyOneLogsInAndTheOtherFollows) {
  ASSERT_EQ(from_a_.send.size(), 1U);
  EXPECT_TRUE(from_b_.send.empty());
  expire_b();
  EXPECT_TRUE(from_b_.send.empty());
  from_a_ = {};
  a_->receive(text(200, "TOKEN"), now_, from_a_);
  EXPECT_EQ(token_of(from_a_.send.at(0)), "TOKEN");
  expire_b();
  ASSERT_EQ(from_b_.send.size(), 1U);
  EXPECT_EQ(token_of(from_b_.send[0]), "TOKEN");
  EXPECT_FALSE(b_->deadline());
}

TEST_F(TwoAtOnce, TheOtherSharesTheRefusal) {
  a_->receive(text(401, ""), now_, from_a_);
  expire_b();
  EXPECT_TRUE(from_b_.close);
  ASSERT_EQ(from_b_.verdicts.size(), 2U);
  EXPECT_EQ(from_b_.verdicts[0].judgement, Judgement::auth);
  EXPECT_TRUE(from_b_.send.empty());
}

TEST_F(TwoAtOnce, WhereTheFirstIsGoneTheOtherLogsIn) {
  a_.reset();
  expire_b();
  ASSERT_EQ(from_b_.send.size(), 1U);
  EXPECT_TRUE(from_b_.send[0].target.ends_with("/auth/login"));
}

TEST_F(TwoAtOnce, WhoWaitsCanBeCancelled) {
  b_->receive(Message::failure(Trouble::cancelled, "cancelled"), now_, from_b_);
  EXPECT_TRUE(from_b_.close);
  EXPECT_EQ(from_b_.verdicts.size(), 2U);
}

TEST_F(TwoAtOnce, ATokenThatAnotherReplacedIsReplacedWithoutALogin) {
  a_->receive(text(200, "OLD"), now_, from_a_);
  expire_b();
  from_a_ = from_b_ = {};
  b_->receive(json(401, ""), now_, from_b_);  // b logs in anew
  b_->receive(text(200, "NEW"), now_, from_b_);
  a_->receive(json(401, ""), now_, from_a_);
  ASSERT_EQ(from_a_.send.size(), 1U);
  EXPECT_EQ(token_of(from_a_.send[0]), "NEW");
}

TEST(GroundWorkFarewell, EndsTheTokenOnce) {
  Exchanges x;
  EXPECT_EQ(x.outbound->farewell(), nullptr);
  x.run(services(1), good);
  auto farewell = x.outbound->farewell();
  ASSERT_NE(farewell, nullptr);
  EXPECT_EQ(x.outbound->farewell(), nullptr);
  Actions out;
  farewell->start({}, out);
  ASSERT_EQ(out.send.size(), 1U);
  EXPECT_EQ(out.send[0].target, "https://gw.example.com/api/auth/logout");
  EXPECT_EQ(out.send[0].body, "gwos-app-name=checkrelay&gwos-api-token=TOKEN-1");
  EXPECT_EQ(*out.send[0].header("accept"), "text/plain");
  EXPECT_FALSE(out.close);
  farewell->receive(text(404, ""), {}, out);
  EXPECT_TRUE(out.close);
}

TEST(GroundWorkProbe, LogsInAsksToWriteNothingAndLogsOut) {
  Exchanges x;
  auto verdicts = x.run(x.outbound->probe(), good);
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::delivered);
  EXPECT_TRUE(items_of(x.asked.at(0)).empty());
  ASSERT_EQ(x.afterwards.size(), 1U);
  EXPECT_TRUE(x.afterwards[0].target.ends_with("/auth/logout"));
}

TEST(GroundWorkProbe, TellsOfAnAccountThatMayNotWrite) {
  Exchanges x;
  auto verdicts = x.run(x.outbound->probe(), [](const Message&) { return json(401, ""); });
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::auth);
  EXPECT_NE(verdicts.at(0).answer.find("may this account write"), std::string::npos);
}

TEST(GroundWorkProbe, TellsOfARefusedLogin) {
  Exchanges x;
  x.login = [](const Message&) { return text(401, ""); };
  EXPECT_EQ(x.run(x.outbound->probe(), good).at(0).judgement, Judgement::auth);
}

TEST(GroundWorkDialect, SettingsThatCannotWorkAreFaults) {
  auto fault = [](const std::string& name, Options::Value value) {
    Options o = options();
    o.set(name, std::move(value));
    auto built = groundwork_dialect().outbound(o);
    return built ? "" : built.error().what;
  };
  EXPECT_NE(fault("url", std::string("http://x/?a=b")).find("url"), std::string::npos);
  EXPECT_NE(fault("username", std::string()).find("username"), std::string::npos);
  EXPECT_NE(fault("password", Secret()).find("password"), std::string::npos);
  EXPECT_NE(fault("app_name", std::string("a\nb")).find("app_name"), std::string::npos);
  EXPECT_NE(fault("app_type", std::string()).find("app_type"), std::string::npos);
}

TEST(GroundWorkLogin, AnAnswerThatHidesATokenIsNotShown) {
  Exchanges x;
  x.login = [](const Message&) { return json(200, R"({"accessToken":"eyJsecret"})"); };
  auto verdicts = x.run(services(1), good);
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::config);
  EXPECT_EQ(verdicts.at(0).answer, "login: HTTP 200, and no token in the answer");
}

}  // namespace
}  // namespace checkrelay::groundwork
