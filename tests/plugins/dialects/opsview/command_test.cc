// What an operator asks for.
#include "plugins/dialects/opsview/command.h"

#include <initializer_list>

#include "tests/plugins/dialects/opsview/server.h"

namespace checkrelay::opsview {
namespace {

using End = CommandReport::End;

class OpsviewCommands : public Server {
 protected:
  Exchange ask(const std::vector<std::string>& words) {
    report = std::make_shared<CommandReport>();
    Exchange e;
    e.conversation = std::move(outbound->command(words, report).value());
    Actions out;
    e.conversation->start(now, out);
    e.take(std::move(out));
    return e;
  }
  Exchange signed_in(const std::vector<std::string>& words) {
    Exchange e = ask(words);
    answer(e, 200, kVersions);
    answer(e, 200, kToken);
    return e;
  }
  void expect_end(const Exchange& e, End end, const std::string& what) const {
    EXPECT_TRUE(e.closed);
    EXPECT_EQ(e.verdicts.size(), 1U);
    EXPECT_EQ(report->end, end);
    EXPECT_EQ(report->what, what);
  }
  std::shared_ptr<CommandReport> report{};
};

TEST_F(OpsviewCommands, InfoIsTheServersOwnDocument) {
  Exchange e = signed_in({"info"});
  EXPECT_EQ(e.last(), "GET /rest/info");
  answer(e, 200, R"({"opsview_version":"6.8.9","server_timezone_offset":0})");
  expect_end(e, End::done, "");
  EXPECT_EQ(report->json, R"({"opsview_version":"6.8.9","server_timezone_offset":"0"})");
}

TEST_F(OpsviewCommands, ReloadStatusIsTold) {
  Exchange e = signed_in({"reload", "status"});
  EXPECT_EQ(e.last(), "GET /rest/reload");
  answer(e, 200, kReloading);
  expect_end(e, End::done, "");
  EXPECT_EQ(report->json, kReloading);
}

TEST_F(OpsviewCommands, AReloadIsBegunAndNotAwaited) {
  Exchange e = signed_in({"reload", "start", "--changelog", "two & three"});
  EXPECT_EQ(e.last(), "POST /rest/reload?asynchronous=1&changelog=two%20%26%20three");
  answer(e, 200, R"({"server_status":"1"})");
  expect_end(e, End::done, "");
  EXPECT_EQ(e.verdicts[0].judgement, Judgement::delivered);
}

TEST_F(OpsviewCommands, AReloadThatWasBegunHoldsResultsUntilItIsOver) {
  Exchange e = signed_in({"reload", "start"});
  EXPECT_EQ(e.last(), "POST /rest/reload?asynchronous=1");
  answer(e, 200, R"({"server_status":"1"})");
  Exchange results = open({result("db1")});
  EXPECT_EQ(results.last(), "GET /rest/reload");
  answer(results, 200, kReloading);
  EXPECT_EQ(results.verdicts.at(0).judgement, Judgement::held);
}

TEST_F(OpsviewCommands, A409IsAReloadThatRunsAlready) {
  for (const char* body : {R"({"server_status":"1","messages":"Reload already running"})",
                           R"({"server_status":"1","messages":["Reload already running"]})"}) {
    outbound = std::move(opsview_dialect().outbound(options()).value());
    Exchange e = signed_in({"reload", "start"});
    answer(e, 409, body);
    expect_end(e, End::refused, "a reload is running already: HTTP 409: Reload already running");
  }
}

TEST_F(OpsviewCommands, A409InTheWrapperIsOneToo) {
  Exchange e = signed_in({"reload", "start"});
  answer(e, 200, R"({"rest":{"server_status":"1","messages":"Reload already running"}})");
  EXPECT_EQ(report->end, End::refused);
}

TEST_F(OpsviewCommands, WhatTheServerRefusesIsToldInItsWords) {
  struct Row {
    int status;
    const char* body;
    End end;
    const char* what;
  };
  const std::initializer_list<Row> rows{
      {400, R"({"message":"A changelog is required"})", End::refused,
       "HTTP 400: A changelog is required"},
      {400,
       R"({"server_status":"3","messages":[{"severity":"critical","monitoringserver":"Master","detail":"no plugin"}]})",
       End::refused, "HTTP 400: critical: Master: no plugin"},
      {403, R"({"message":"Access denied"})", End::refused, "HTTP 403: Access denied"},
      {404, "<html>", End::unreachable, "HTTP 404: <html>"},
      {503, "busy", End::unreachable, "HTTP 503: busy"},
      {200, "<html>", End::unreachable, "HTTP 200: <html>"}};
  for (const Row& row : rows) {
    outbound = std::move(opsview_dialect().outbound(options()).value());
    Exchange e = signed_in({"reload", "start"});
    answer(e, row.status, row.body);
    expect_end(e, row.end, row.what);
  }
}

TEST_F(OpsviewCommands, AWrongPasswordIsARefusal) {
  Exchange e = ask({"info"});
  answer(e, 200, kVersions);
  answer(e, 401, R"({"message":"Authentication failed"})");
  expect_end(e, End::refused, "HTTP 401: Authentication failed");
}

TEST_F(OpsviewCommands, NoAnswerIsNoUpstream) {
  Exchange e = ask({"info"});
  Actions out;
  e.conversation->receive(Message::failure(Trouble::connect, "connection refused"), now, out);
  e.take(std::move(out));
  expect_end(e, End::unreachable, "connection refused");
}

TEST_F(OpsviewCommands, AnExpiredTokenIsRenewedOnce) {
  Exchange first = signed_in({"info"});
  answer(first, 200, "{}");
  Exchange e = ask({"reload", "status"});
  EXPECT_EQ(e.last(), "GET /rest/reload");
  answer(e, 401, R"({"message":"Not authenticated"})");
  answer(e, 200, kVersions);
  answer(e, 200, kToken);
  EXPECT_EQ(e.last(), "GET /rest/reload");
  answer(e, 401, R"({"message":"Not authenticated"})");
  expect_end(e, End::refused, "HTTP 401: Not authenticated");
}

class OpsviewTest : public OpsviewCommands {
 protected:
  // The answers to what is asked for behind the login, in turn.
  std::string examined(const std::string& user, int status = 200,
                       const std::string& reload = kRunning) {
    Exchange e = signed_in({"test"});
    EXPECT_EQ(e.last(), "GET /rest/info");
    answer(e, 200, info);
    EXPECT_EQ(e.last(), "GET /rest/user");
    answer(e, 200, user);
    EXPECT_EQ(e.last(), "GET /rest/reload");
    answer(e, status, reload);
    EXPECT_EQ(e.last(), "DELETE /rest/login");
    answer(e, 200, "{}");
    EXPECT_TRUE(e.closed);
    EXPECT_EQ(e.verdicts.size(), 1U);
    if (!e.verdicts.empty()) {
      EXPECT_EQ(e.verdicts[0].judgement, Judgement::delivered);
    }
    return report->json;
  }
  const std::string kAll = R"({"name":"relay","access_list":{"ACTIONALL":"1"}})";
  std::string info = R"({"opsview_version":"6.8.9"})";
};

TEST_F(OpsviewTest, SaysWhoAnswersAndThatThisUserMaySubmit) {
  EXPECT_EQ(examined(kAll), R"({"system":"Opsview","version":"6.8.9","user":"relay",)"
                            R"("may_submit":true,"remarks":[]})");
  EXPECT_EQ(report->end, End::done);
}

TEST_F(OpsviewTest, AUserWithoutTheRightIsARefusalThatSaysWhatToDo) {
  const std::string json = examined(R"({"access_list":{"RELOADVIEW":"1"}})");
  EXPECT_NE(json.find(R"("may_submit":false)"), std::string::npos) << json;
  EXPECT_EQ(report->end, End::refused);
  EXPECT_NE(report->what.find("neither ACTIONALL nor ACTIONSOME"), std::string::npos);
}

TEST_F(OpsviewTest, RightsThatAreNotToldAreUnknown) {
  EXPECT_NE(examined("{}").find(R"("may_submit":"unknown")"), std::string::npos);
  EXPECT_EQ(report->end, End::done);
  EXPECT_NE(examined(R"({"access_list":{"ACTIONSOME":"1"}})").find("ACTIONSOME: "),
            std::string::npos);
}

TEST_F(OpsviewTest, WhatWouldGoWrongIsARemark) {
  struct Row {
    int status;
    const char* reload;
    const char* remark;
  };
  const std::initializer_list<Row> rows{
      {403, R"({"message":"Access denied"})", "RELOADVIEW"},
      {200, kReloading, "it reloads"},
      {200, R"({"server_status":"2"})", "not running"},
      {200, R"({"server_status":"3","messages":[{"detail":"no plugin"}]})", "errors: no plugin"},
      {200, R"({"server_status":"4"})", "warnings"},
      {200, R"({"server_status":"0","configuration_status":"pending"})", "wait for a reload"}};
  for (const Row& row : rows) {
    const std::string json = examined(kAll, row.status, row.reload);
    EXPECT_NE(json.find(row.remark), std::string::npos) << json;
    EXPECT_EQ(report->end, End::done);
  }
}

TEST_F(OpsviewTest, AVersionWithoutTheFormIsARemark) {
  info = R"({"opsview_version":"5.4.2"})";
  EXPECT_NE(examined(kAll).find("submit = \\\"status\\\""), std::string::npos);
  use("status");
  EXPECT_EQ(examined(kAll).find("submit ="), std::string::npos);
}

TEST_F(OpsviewTest, TheServersClockIsHeldAgainstOurs) {
  Exchange e = ask({"test"});
  Message versions = Message::response(200, kVersions, "application/json");
  versions.headers.push_back({"Date", "Wed, 08 Dec 2019 00:02:00 GMT"});
  now.wall = Wall(std::chrono::sys_days(std::chrono::year(2019) / 12 / 8));
  Actions out;
  e.conversation->receive(std::move(versions), now, out);
  e.take(std::move(out));
  for (const char* body : {kToken, "{}", "{}", "{}", "{}"}) answer(e, 200, body);
  EXPECT_NE(report->json.find(R"("clock_difference_s":120)"), std::string::npos) << report->json;
}

TEST_F(OpsviewTest, ItsSessionIsItsOwn) {
  Exchange results = open({result("db1")});
  let_in(results);
  Exchange e = ask({"test"});
  EXPECT_EQ(e.last(), "GET /rest");
}

TEST_F(OpsviewTest, CredentialsThatAreNotTakenAreARefusal) {
  Exchange e = ask({"test"});
  answer(e, 200, kVersions);
  answer(e, 401, R"({"message":"Authentication failed"})");
  expect_end(e, End::refused, "HTTP 401: Authentication failed");
  EXPECT_NE(report->json.find(R"("may_submit":false)"), std::string::npos);
}

TEST_F(OpsviewTest, AServerInTroubleIsAway) {
  Exchange e = signed_in({"test"});
  answer(e, 503, "busy");
  expect_end(e, End::unreachable, "HTTP 503: busy");
}

TEST_F(OpsviewCommands, WordsThatAreNoneAreToldWhichThereAre) {
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{}, Words{"reload"}, Words{"reload", "stop"}, Words{"info", "more"},
        Words{"reload", "status", "now"}, Words{"reload", "start", "--changelog"},
        Words{"reload", "start", "--hurry"}, Words{"hosts", "list"}}) {
    auto command = parse_command(words);
    ASSERT_FALSE(command);
    EXPECT_EQ(command.error().code, Errc::invalid);
    EXPECT_NE(command.error().what.find("reload start [--wait] [--changelog TEXT]"),
              std::string::npos);
  }
}

TEST_F(OpsviewCommands, AChangelogMayBeGivenWithAnEqualsSign) {
  const std::vector<std::string> words{"reload", "start", "--changelog=a=b"};
  EXPECT_EQ(parse_command(words)->changelog, "a=b");
}

}  // namespace
}  // namespace checkrelay::opsview
