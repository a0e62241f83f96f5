#include "agent/flow/http_door.h"

#include <gtest/gtest.h>

#include "tests/support/fake_dialect.h"

namespace checkrelay {
namespace {

class HttpDoorTest : public testing::Test {
 protected:
  Message request(std::string target, std::string body = {}) {
    return Message::request("POST", std::move(target), std::move(body));
  }
  Message as(std::string user, std::string password, Message m) {
    m.credentials = Credentials{std::move(user), Secret(std::move(password))};
    return m;
  }
  Actions receive(Message m) {
    Actions out;
    door.receive(std::move(m), {}, out);
    return out;
  }
  std::string settled(const std::vector<Outcome>& outcomes) {
    Actions out;
    door.settle(7, outcomes, {}, out);
    return out.send.empty() ? "nothing" : out.send[0].body;
  }
  void close_to_strangers() {
    *access = Access({{"ann", Secret("pw"), {"db*"}}, {"", Secret("token"), {"web*"}}});
  }

  FakeDialect dialect;
  std::shared_ptr<Access> access = std::make_shared<Access>();
  std::shared_ptr<TokenTable> logins =
      std::make_shared<TokenTable>(access, [] { return std::string("0f"); });
  HttpDoor door{InboundContext{}, access, {&dialect}, "edge1", logins};
};

Outcome ok(std::string id) {
  Outcome o;
  o.ok = true;
  o.id = std::move(id);
  return o;
}

TEST_F(HttpDoorTest, ThePathChoosesTheDialect) {
  Actions out = receive(request("/fake?x=1", "db1"));
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_FALSE(out.inquire);
  EXPECT_EQ(settled({ok("id-db1")}), "ok id-db1\n");
}

TEST_F(HttpDoorTest, WhatNobodyOwnsIsTheOperators) {
  Actions out = receive(request("/v1/status"));
  EXPECT_TRUE(out.inquire);
  EXPECT_TRUE(out.send.empty());
  Actions later;
  door.answer(*out.inquire, Message::response(200, "x", "text/plain"), {}, later);
  ASSERT_EQ(later.send.size(), 1U);
  EXPECT_EQ(later.send[0].body, "x");
}

TEST_F(HttpDoorTest, StrangersGet401AndAChallenge) {
  close_to_strangers();
  Actions out = receive(request("/metrics"));
  ASSERT_EQ(out.send.size(), 1U);
  EXPECT_EQ(out.send[0].status, 401);
  ASSERT_NE(out.send[0].header("WWW-Authenticate"), nullptr);
  EXPECT_EQ(out.send[0].header("WWW-Authenticate")->substr(0, 5), "Basic");
  EXPECT_EQ(out.send[0].body, "{\"error\":\"no credentials\"}\n");
  EXPECT_FALSE(out.inquire);
}

TEST_F(HttpDoorTest, WrongPasswordsGet401) {
  close_to_strangers();
  EXPECT_EQ(receive(as("ann", "no", request("/metrics"))).send[0].status, 401);
}

TEST_F(HttpDoorTest, ATokenOfADialectsLoginStandsForItsUser) {
  close_to_strangers();
  const Secret token = logins->open({"ann", Secret("pw")}, std::chrono::hours(1), {}).value();
  Message m = request("/fake", "web1\ndb1");
  m.headers = {{"Fake-Token", token.reveal()}};
  Actions out = receive(m);
  ASSERT_EQ(out.submit.size(), 1U);
  ASSERT_EQ(out.submit[0].results.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].subject.host, "db1");
  (void)settled({ok("one")});
  logins->close(token);
  EXPECT_EQ(receive(m).send.at(0).body, "fake: no such token, or it has expired");
}

TEST_F(HttpDoorTest, ATokenIsLookedAtOnItsDialectsPathsAlone) {
  close_to_strangers();
  const Secret token = logins->open({"ann", Secret("pw")}, std::chrono::hours(1), {}).value();
  Message m = request("/metrics");
  m.headers = {{"Fake-Token", token.reveal()}};
  EXPECT_EQ(receive(m).send.at(0).status, 401);
}

TEST_F(HttpDoorTest, HealthIsOpenToAll) {
  close_to_strangers();
  EXPECT_TRUE(receive(request("/healthz")).inquire);
  EXPECT_TRUE(receive(request("/readyz?verbose")).inquire);
  EXPECT_FALSE(receive(request("/healthzz")).inquire);
}

TEST_F(HttpDoorTest, TheDialectRefusesStrangersInItsOwnStyle) {
  close_to_strangers();
  Actions out = receive(request("/fake", "db1"));
  ASSERT_EQ(out.send.size(), 1U);
  EXPECT_EQ(out.send[0].body, "fake: no credentials");
  EXPECT_TRUE(out.submit.empty());
}

TEST_F(HttpDoorTest, WhatAUserMayNotSpeakForIsWithheldAndMergedInOrder) {
  close_to_strangers();
  Actions out = receive(as("ann", "pw", request("/fake", "web1\ndb1\nweb2\ndb2")));
  ASSERT_EQ(out.submit.size(), 1U);
  ASSERT_EQ(out.submit[0].results.size(), 2U);
  EXPECT_EQ(out.submit[0].results[0].subject.host, "db1");
  EXPECT_EQ(settled({ok("one"), ok("two")}),
            "1 host: \"ann\" may not speak for \"web1\"\nok one\n"
            "1 host: \"ann\" may not speak for \"web2\"\nok two\n");
}

TEST_F(HttpDoorTest, WhatIsWithheldIsCountedAsRefused) {
  close_to_strangers();
  Actions out = receive(as("ann", "pw", request("/fake", "web1\ndb1\nweb2")));
  ASSERT_EQ(out.refused.size(), 2U);
  EXPECT_EQ(out.refused[1].line, 3U);
  EXPECT_EQ(out.refused[1].what, "host: \"ann\" may not speak for \"web2\"");
}

TEST_F(HttpDoorTest, WhereAllIsWithheldAnEmptySubmissionBringsTheAnswer) {
  close_to_strangers();
  Actions out = receive(as("ann", "pw", request("/fake", "web1")));
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_TRUE(out.submit[0].results.empty());
  EXPECT_EQ(settled({}), "1 host: \"ann\" may not speak for \"web1\"\n");
}

TEST_F(HttpDoorTest, AUserWithoutANameIsHeldToItsHosts) {
  close_to_strangers();
  Actions out = receive(as("", "token", request("/fake", "db1\nweb1")));
  ASSERT_EQ(out.submit[0].results.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].subject.host, "web1");
}

TEST_F(HttpDoorTest, EachRequestSaysAnewWhoAsks) {
  close_to_strangers();
  (void)receive(as("ann", "pw", request("/fake", "web1")));
  (void)settled({});
  EXPECT_EQ(receive(request("/fake", "db1")).send[0].body, "fake: no credentials");
}

TEST_F(HttpDoorTest, AReloadIsSeenByOpenConnections) {
  EXPECT_TRUE(receive(request("/metrics")).inquire);
  close_to_strangers();
  EXPECT_FALSE(receive(request("/metrics")).inquire);
}

TEST_F(HttpDoorTest, WithoutARequestNothingHappens) {
  Actions out;
  door.settle(7, {}, {}, out);
  door.finish({}, out);
  door.expire({}, out);
  EXPECT_EQ(door.deadline(), std::nullopt);
  EXPECT_TRUE(out.send.empty());
}

}  // namespace
}  // namespace checkrelay
