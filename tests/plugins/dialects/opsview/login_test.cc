#include "tests/plugins/dialects/opsview/server.h"

namespace checkrelay::opsview {
namespace {

using namespace std::chrono_literals;

class OpsviewLogin : public Server {
 protected:
  // A destination with a good token that has delivered.
  void settle_in() {
    Exchange e = open({result("db1")});
    let_in(e);
    answer(e, 200, object("db1"));
    answer(e, 200, kSuccess);
    ASSERT_EQ(e.verdicts.at(0).judgement, Judgement::delivered);
  }
};

TEST_F(OpsviewLogin, VersionFirstThenTheTokenInBothHeaders) {
  Exchange e = open({result("db1")});
  EXPECT_EQ(e.last(), "GET /rest");
  EXPECT_TRUE(e.asked[0].secret_headers.empty());
  answer(e, 200, kVersions);
  EXPECT_EQ(e.last(), "POST /rest/login");
  EXPECT_EQ(e.asked[1].body, R"({"username":"relay","password":"hunter2"})");
  answer(e, 200, kToken);
  EXPECT_EQ(e.last(), "GET /rest/reload");
  EXPECT_EQ(*e.asked[2].header("X-Opsview-Username"), "relay");
  ASSERT_EQ(e.asked[2].secret_headers.size(), 1U);
  EXPECT_EQ(e.asked[2].secret_headers[0].name, "X-Opsview-Token");
  EXPECT_EQ(e.asked[2].secret_headers[0].value.reveal(),
            "0123456789abcdef0123456789abcdef01234567");
}

TEST_F(OpsviewLogin, OneTokenServesTheDestination) {
  settle_in();
  Exchange e = open({result("db1")});
  EXPECT_EQ(e.last(), "POST /rest/detail?hostname=db1&servicename=Backup");
}

TEST_F(OpsviewLogin, AnHourWithoutUseNeedsANewOne) {
  settle_in();
  pass(50min);
  Exchange used = open({result("db1")});
  answer(used, 200, kRunning);
  answer(used, 200, kSuccess);
  pass(50min);
  EXPECT_EQ(open({result("db1")}).last(), "GET /rest/reload");
  pass(10min);
  EXPECT_EQ(open({result("db1")}).last(), "GET /rest");
}

TEST_F(OpsviewLogin, ATokenThatExpiredIsRenewedOnceAndTheItemSentAgain) {
  settle_in();
  Exchange e = open({result("db1")});
  answer(e, 401, R"({"message":"Not authenticated"})");
  EXPECT_EQ(e.last(), "GET /rest");
  answer(e, 200, kVersions);
  answer(e, 200, R"({"token":"second"})");
  EXPECT_EQ(e.last(), "GET /rest/reload");
  answer(e, 200, kRunning);
  EXPECT_EQ(e.last(), "POST /rest/detail?hostname=db1&servicename=Backup");
  answer(e, 401, R"({"message":"Not authenticated"})");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::auth);
}

TEST_F(OpsviewLogin, AccessDeniedIsNoReasonToLogInAgain) {
  settle_in();
  Exchange e = open({result("db1")});
  answer(e, 403, R"({"message":"Access denied"})");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.asked.size(), 1U);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::auth);
  EXPECT_NE(e.verdicts[0].answer.find("Access denied"), std::string::npos);
}

TEST_F(OpsviewLogin, OnlyOneLogsInAndTheOthersWait) {
  Exchange first = open({result("db1")});
  Exchange second = open({result("db2")});
  EXPECT_TRUE(second.asked.empty());
  ASSERT_TRUE(second.conversation->deadline());
  answer(first, 200, kVersions);
  pass(100ms);
  expire(second);
  EXPECT_TRUE(second.asked.empty());
  answer(first, 200, kToken);
  pass(100ms);
  expire(second);
  EXPECT_EQ(second.last(), "GET /rest/reload");
  EXPECT_FALSE(second.conversation->deadline());
}

TEST_F(OpsviewLogin, AFailedLoginIsEverybodys) {
  Exchange first = open({result("db1")});
  Exchange second = open({result("db2")});
  answer(first, 200, kVersions);
  answer(first, 401, R"({"message":"Authentication failed"})");
  pass(100ms);
  expire(second);
  EXPECT_TRUE(second.closed);
  EXPECT_TRUE(second.asked.empty());
  EXPECT_EQ(first.verdicts.at(0).judgement, Judgement::auth);
  EXPECT_EQ(second.verdicts.at(0).judgement, Judgement::auth);
}

TEST_F(OpsviewLogin, WhoeverWaitsTakesOverWhereTheFirstIsGone) {
  Exchange first = open({result("db1")});
  Exchange second = open({result("db2")});
  first.conversation.reset();
  pass(100ms);
  expire(second);
  EXPECT_EQ(second.last(), "GET /rest");
}

TEST_F(OpsviewLogin, SeveralExpiredAnswersMakeOneLogin) {
  settle_in();
  Exchange first = open({result("db1")});
  Exchange second = open({result("db1")});
  answer(first, 401, "{}");
  answer(first, 200, kVersions);
  answer(first, 200, R"({"token":"second"})");
  answer(second, 401, "{}");
  EXPECT_EQ(second.asked.size(), 2U);
  EXPECT_EQ(second.asked.back().secret_headers.at(0).value.reveal(), "second");
}

TEST_F(OpsviewLogin, EveryFailureOfALoginHasItsClass) {
  auto judgement = [this](int status, const char* body) {
    use("detail");
    Exchange e = open({result("db1")});
    answer(e, 200, kVersions);
    answer(e, status, body);
    EXPECT_TRUE(e.closed);
    return e.verdicts.at(0).judgement;
  };
  EXPECT_EQ(judgement(503, R"({"message":"Error creating session token after 5 attempts"})"),
            Judgement::transient);
  EXPECT_EQ(judgement(401, ""), Judgement::auth);
  EXPECT_EQ(judgement(403, ""), Judgement::auth);
  EXPECT_EQ(judgement(400, "{}"), Judgement::config);
  EXPECT_EQ(judgement(404, "<html>"), Judgement::config);
  EXPECT_EQ(judgement(200, "{}"), Judgement::transient);
  EXPECT_EQ(judgement(200, R"({"token":"a\nb"})"), Judgement::transient);
}

TEST_F(OpsviewLogin, AnApiThatIsTooNewIsAMatterOfConfiguration) {
  Exchange e = open({result("db1")});
  answer(e, 200, R"({"api_version":"9.0","api_min_version":"8.000"})");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.asked.size(), 1U);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::config);
}

TEST_F(OpsviewLogin, PasswordAndTokenAreInNoVerdict) {
  Exchange e = open({result("db1")});
  answer(e, 200, kVersions);
  answer(e, 200, kToken);
  answer(e, 500, "hunter2 0123456789abcdef0123456789abcdef01234567");
  EXPECT_EQ(e.verdicts.at(0).answer, "HTTP 500: [secret] [secret]");
}

TEST_F(OpsviewLogin, TheFarewellEndsTheSession) {
  EXPECT_EQ(outbound->farewell(), nullptr);
  settle_in();
  Exchange e;
  e.conversation = outbound->farewell();
  ASSERT_NE(e.conversation, nullptr);
  Actions out;
  e.conversation->start(now, out);
  e.take(std::move(out));
  EXPECT_EQ(e.last(), "DELETE /rest/login");
  EXPECT_EQ(e.asked[0].secret_headers.size(), 1U);
  answer(e, 500, "");
  EXPECT_TRUE(e.closed);
}

TEST_F(OpsviewLogin, AVersionThatIsRefusedBlamesNoItem) {
  for (int status : {400, 413, 422}) {
    Exchange e = open({result("db1"), result("db2")});
    answer(e, status, "Client sent an HTTP request to an HTTPS server.");
    ASSERT_EQ(e.verdicts.size(), 2U) << status;
    for (const Verdict& v : e.verdicts) EXPECT_EQ(v.judgement, Judgement::config) << status;
  }
}

TEST_F(OpsviewLogin, ATokenThatWasGoodForSomethingIsRenewedOnceMore) {
  Exchange e = open({result("db1"), result("db2")});
  let_in(e);
  answer(e, 200, object("db1"));
  answer(e, 200, kSuccess);
  answer(e, 401, R"({"message":"Not authenticated"})");
  EXPECT_EQ(e.last(), "GET /rest");
  let_in(e);
  answer(e, 401, R"({"message":"Not authenticated"})");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.verdicts.at(1).judgement, Judgement::auth);
}

}  // namespace
}  // namespace checkrelay::opsview
