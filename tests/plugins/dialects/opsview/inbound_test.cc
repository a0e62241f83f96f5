#include <gtest/gtest.h>

#include <array>

#include "agent/policy/logins.h"
#include "plugins/dialects/opsview/data.h"
#include "plugins/dialects/opsview/dialect.h"

namespace checkrelay::opsview {
namespace {

using namespace std::chrono_literals;

class OpsviewInbound : public testing::Test {
 protected:
  OpsviewInbound() { open(); }
  void open(bool authenticated = true) {
    InboundContext c;
    c.framing = Framing::http;
    c.authenticated = authenticated;
    c.logins = &logins;
    c.user = authenticated ? "ann" : "";
    server = opsview_dialect().inbound(c);
  }
  Actions receive(const std::string& method, const std::string& target, std::string body = {},
                  std::vector<Header> headers = kJson) {
    Actions out;
    Message m = Message::request(method, target, std::move(body));
    m.headers = std::move(headers);
    server->receive(std::move(m), now, out);
    return out;
  }
  Message ask(const std::string& method, const std::string& target, std::string body = {},
              std::vector<Header> headers = kJson) {
    Actions out = receive(method, target, std::move(body), std::move(headers));
    EXPECT_TRUE(out.submit.empty());
    EXPECT_EQ(out.send.size(), 1U) << method << " " << target;
    return out.send.empty() ? Message{} : out.send[0];
  }
  Message settle(Ticket ticket, const Outcome& outcome = {.ok = true}) {
    Actions out;
    server->settle(ticket, std::span(&outcome, 1), now, out);
    return out.send.at(0);
  }
  static Data data(const Message& m) { return parse_json(m.body).value_or(Data{}); }

  static inline const std::vector<Header> kJson = {{"Content-Type", "application/json"},
                                                   {"Accept", "application/json"}};
  std::shared_ptr<Access> access =
      std::make_shared<Access>(std::vector<User>{{"ann", Secret("pw"), {"*"}}});
  TokenTable logins{access, [] { return std::string(40, 'a'); }};
  Instant now{Steady(1h), Wall(1h)};
  std::unique_ptr<Conversation> server;
};

constexpr const char* kDetail = "/rest/detail?hostname=db1&servicename=Backup";
constexpr const char* kSetState = R"({"set_state":{"result":2,"output":"late|x=1"}})";

TEST_F(OpsviewInbound, DetailIsConfirmedOnlyOnceItIsSettled) {
  Actions out = receive("POST", kDetail, kSetState);
  EXPECT_TRUE(out.send.empty());
  ASSERT_EQ(out.submit.size(), 1U);
  const CheckResult& r = out.submit[0].results.at(0);
  EXPECT_EQ(r.subject, (Subject{"db1", "Backup"}));
  EXPECT_EQ(r.state, 2);
  EXPECT_EQ(r.output, "late");
  EXPECT_EQ(r.perfdata, "x=1");
  Message reply = settle(out.submit[0].ticket);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"success":"1"})");
}

TEST_F(OpsviewInbound, StatusIsAnsweredWithTheObject) {
  Actions out = receive("POST", "/rest/status?svc.hostname=db1&svc.servicename=Backup",
                        R"({"new_state":"1","comment":"slow"})");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].state, 1);
  EXPECT_EQ(
      settle(out.submit[0].ticket).body,
      R"({"summary":{"num_hosts":"0","num_services":"1"},"list":{"hosts":[],"services":[{"hostname":"db1","servicename":"Backup"}]}})");
}

TEST_F(OpsviewInbound, ResultsMayComeAsUrlParametersAlone) {
  Actions out = receive(
      "POST", "/rest/status?hst.hostname=db1&new_state=1&comment=no+ping%7Crta%3D9", "", {});
  ASSERT_EQ(out.submit.size(), 1U);
  const CheckResult& r = out.submit[0].results.at(0);
  EXPECT_TRUE(r.subject.is_host());
  EXPECT_EQ(r.output, "no ping");
  EXPECT_EQ(r.perfdata, "rta=9");
}

TEST_F(OpsviewInbound, ObjectsAreNamedInManyWays) {
  for (const char* query :
       {"hostname=db1&servicename=B", "host=db1&servicecheck=B", "hs=db1::B", "svc.hs=db1::B",
        "svc.hostname=db1&servicename=B", "hostname=db1&hostname=db1&servicename=B"}) {
    Actions out = receive("POST", std::string("/rest/detail?") + query, kSetState);
    ASSERT_EQ(out.submit.size(), 1U) << query;
    EXPECT_EQ(out.submit[0].results[0].subject, (Subject{"db1", "B"})) << query;
    settle(out.submit[0].ticket);
  }
}

TEST_F(OpsviewInbound, TheBodyBeatsTheUrl) {
  Actions out = receive("POST", "/rest/status?hostname=url&new_state=0",
                        R"({"hostname":"body","new_state":2,"comment":"x"})");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].subject.host, "body");
  EXPECT_EQ(out.submit[0].results[0].state, 2);
}

TEST_F(OpsviewInbound, WhatCannotBeOneResultIsRefused) {
  auto refused = [this](const std::string& target, const std::string& body) {
    Message m = ask("POST", target, body);
    EXPECT_EQ(m.status, 400) << target << body;
    return std::string(data(m).text_of("message")) + ": " + std::string(data(m).text_of("detail"));
  };
  EXPECT_EQ(refused("/rest/detail", kSetState), "No objects chosen: no hostname");
  EXPECT_NE(refused("/rest/detail?hostname=db%25", kSetState).find("wildcard"), std::string::npos);
  EXPECT_NE(refused("/rest/detail?hostname=a&hostname=b", kSetState).find("one object"),
            std::string::npos);
  EXPECT_NE(refused(kDetail, "{}").find("set_state"), std::string::npos);
  EXPECT_NE(refused(kDetail, R"({"set_state":{"result":4,"output":"x"}})").find("result"),
            std::string::npos);
  EXPECT_NE(refused(kDetail, R"({"set_state":{"result":1,"output":""}})").find("output"),
            std::string::npos);
  EXPECT_NE(refused("/rest/detail?hostname=db1", R"({"set_state":{"result":3,"output":"x"}})")
                .find("result"),
            std::string::npos);
  EXPECT_NE(refused("/rest/status?hostname=a", "{}").find("new_state"), std::string::npos);
  EXPECT_NE(refused("/rest/detail?hostname=db1&servicename=", kSetState).find("empty"),
            std::string::npos);
  EXPECT_NE(refused("/rest/status?svc.hs=db1::&new_state=0", "{}").find("no service"),
            std::string::npos);
}

TEST_F(OpsviewInbound, UnreadableBodiesAreToldOfAsText) {
  Message m = ask("POST", kDetail, "{\"set_state\":");
  EXPECT_EQ(m.status, 400);
  EXPECT_EQ(*m.header("Content-Type"), "text/plain");
  EXPECT_NE(m.body.find("had a problem with your request"), std::string::npos);
  EXPECT_EQ(ask("POST", kDetail, "--- yaml", {{"Content-Type", "text/x-yaml"}}).status, 415);
  EXPECT_EQ(ask("POST", kDetail, std::string(100'000, ' ')).status, 413);
}

TEST_F(OpsviewInbound, EveryFormatIsReadAndWritten) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"text/xml", R"(<opt><data><set_state result="2" output="late"/></data></opt>)",
       R"(<opt><data success="1"/></opt>)"},
      {"text/x-data-dumper", "{set_state => {result => 2, output => 'late'}}",
       "{'success' => '1'}"},
      {"application/json", R"({"set_state": {"result": "2", "output": "late",},})",
       R"({"success":"1"})"}};
  for (const auto& [type, body, answer] : cases) {
    Actions out = receive("POST", kDetail, body, {{"Content-Type", type}});
    ASSERT_EQ(out.submit.size(), 1U) << type;
    EXPECT_EQ(out.submit[0].results[0].output, "late");
    Message reply = settle(out.submit[0].ticket);
    EXPECT_EQ(reply.body, answer);
    EXPECT_EQ(*reply.header("Content-Type"), type);
  }
}

TEST_F(OpsviewInbound, PerlDataIsTheDefaultAndAcceptIsAskedFirst) {
  EXPECT_EQ(*ask("GET", "/rest", "", {}).header("Content-Type"), "text/x-data-dumper");
  EXPECT_EQ(*ask("GET", "/rest?content-type=application/json", "", {}).header("Content-Type"),
            "application/json");
  EXPECT_EQ(*ask("GET", "/rest", "",
                 {{"Content-Type", "application/json"}, {"Accept", "text/html, text/xml;q=0.9"}})
                 .header("Content-Type"),
            "text/xml");
}

TEST_F(OpsviewInbound, AlwaysReturn200WrapsEveryAnswer) {
  Message good = ask("GET", "/rest?alwaysReturn200=1");
  EXPECT_EQ(data(good).find("rest")->text_of("api_min_version"), "2.000");
  Message bad = ask("GET", "/rest/nowhere?alwaysReturn200=1");
  EXPECT_EQ(bad.status, 200);
  EXPECT_EQ(data(bad).find("rest")->text_of("message"), "Not found");
  Message unreadable = ask("POST", std::string(kDetail) + "&alwaysReturn200=1", "{\"set_state\":");
  EXPECT_EQ(unreadable.status, 200);
  EXPECT_NE(data(unreadable).find("rest")->text_of("message").find("had a problem"),
            std::string::npos);
}

TEST_F(OpsviewInbound, InformationIsInTexts) {
  EXPECT_FALSE(data(ask("GET", "/rest/info")).text_of("opsview_version").empty());
  EXPECT_EQ(data(ask("GET", "/rest/user")).text_of("name"), "ann");
  Data reload = data(ask("GET", "/rest/reload"));
  EXPECT_EQ(reload.text_of("server_status"), "0");
  EXPECT_EQ(reload.text_of("configuration_status"), "uptodate");
  EXPECT_EQ(ask("GET", "/rest/").status, 200);
}

TEST_F(OpsviewInbound, LookupsFindEveryObject) {
  Data found = data(ask("GET", kDetail));
  ASSERT_NE(found.find("object"), nullptr);
  EXPECT_EQ(found.find("object")->text_of("servicename"), "Backup");
  EXPECT_EQ(ask("GET", "/rest/detail").status, 400);
}

TEST_F(OpsviewInbound, OtherMethodsAndPathsAreNotThere) {
  Message m = ask("PUT", "/rest/detail?hostname=a");
  EXPECT_EQ(m.status, 405);
  EXPECT_EQ(*m.header("Allow"), "POST, GET");
  EXPECT_EQ(ask("POST", "/rest/reload").status, 405);
  EXPECT_EQ(ask("GET", "/rest/login").status, 405);
  EXPECT_EQ(ask("GET", "/rest/config/host").status, 404);
}

TEST_F(OpsviewInbound, RefusedOutcomesAreErrors) {
  auto status = [this](Errc code) {
    Actions out = receive("POST", kDetail, kSetState);
    return settle(out.submit.at(0).ticket, {.ok = false, .code = code, .error = "no"}).status;
  };
  EXPECT_EQ(status(Errc::invalid), 400);
  EXPECT_EQ(status(Errc::refused), 403);
  EXPECT_EQ(status(Errc::full), 507);
  EXPECT_EQ(status(Errc::unavailable), 503);
}

class OpsviewInboundLogin : public OpsviewInbound {
 protected:
  OpsviewInboundLogin() { open(false); }
};

TEST_F(OpsviewInboundLogin, TakesJsonFormUrlXmlAndPerl) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"/rest/login", "application/json", R"({"username":"ann","password":"pw"})"},
      {"/rest/login", "application/x-www-form-urlencoded", "username=ann&password=pw"},
      {"/rest/login?username=ann&password=pw", "application/json", ""},
      {"/rest/login", "text/xml", "<opt username=\"ann\" password=\"pw\"/>"},
      {"/rest/login", "text/x-data-dumper", "{username => 'ann', password => 'pw'}"}};
  for (const auto& [target, type, body] : cases) {
    Message m = ask("POST", target, body, {{"Content-Type", type}, {"Accept", "application/json"}});
    EXPECT_EQ(m.status, 200) << type;
    EXPECT_EQ(data(m).text_of("token"), std::string(40, 'a')) << type;
  }
}

TEST_F(OpsviewInboundLogin, GivesUserDataWhereAskedFor) {
  Message m =
      ask("POST", "/rest/login", R"({"username":"ann","password":"pw","include_user_data":1})");
  ASSERT_NE(data(m).find("user_data"), nullptr);
  EXPECT_EQ(data(m).find("user_data")->text_of("name"), "ann");
}

TEST_F(OpsviewInboundLogin, WrongPasswordsAre401) {
  for (const char* body : {R"({"username":"ann","password":"x"})", R"({"password":"pw"})", "{}",
                           R"({"username":["ann"],"password":"pw"})"}) {
    Message m = ask("POST", "/rest/login", body);
    EXPECT_EQ(m.status, 401) << body;
    EXPECT_NE(m.header("WWW-Authenticate"), nullptr);
    EXPECT_EQ(m.body.find("pw"), std::string::npos);
  }
}

TEST_F(OpsviewInboundLogin, ALoginThatCannotBeReadIsNotShown) {
  for (const char* type : {"application/json", "text/xml", "text/x-data-dumper"}) {
    for (const char* body : {"{'username':'ann','password':'s3cret'}", "s3cret"}) {
      Actions out = receive("POST", "/rest/login", body, {{"Content-Type", type}});
      ASSERT_EQ(out.send.size(), 1U);
      EXPECT_EQ(out.send[0].body.find("s3cret"), std::string::npos) << type << out.send[0].body;
      for (const auto& r : out.refused) EXPECT_EQ(r.what.find("s3cret"), std::string::npos);
    }
  }
}

TEST_F(OpsviewInboundLogin, NothingButTheVersionIsOpenToStrangers) {
  EXPECT_EQ(ask("GET", "/rest").status, 200);
  for (const char* path :
       {"/rest/info", "/rest/user", "/rest/reload", "/rest/detail?hostname=a", "/rest/nowhere"})
    EXPECT_EQ(ask("GET", path).status, 401) << path;
  EXPECT_EQ(ask("POST", kDetail, kSetState).status, 401);
  EXPECT_EQ(ask("DELETE", "/rest/login").status, 401);
}

TEST_F(OpsviewInboundLogin, LogoutEndsTheToken) {
  auto token = logins.open({"ann", Secret("pw")}, 1h, now);
  ASSERT_TRUE(token);
  open();
  Message m = ask("DELETE", "/rest/login", "",
                  {{"X-Opsview-Username", "ann"}, {"X-Opsview-Token", token->reveal()}});
  EXPECT_EQ(m.status, 200);
  EXPECT_FALSE(logins.use({"ann", *token}, now));
}

TEST(OpsviewSessionHeaders, BothAreNeeded) {
  Message m = Message::request("GET", "/rest/info");
  EXPECT_FALSE(opsview_dialect().session(m));
  m.headers = {{"x-opsview-token", "t"}};
  EXPECT_FALSE(opsview_dialect().session(m)->user.empty());
  m.headers.push_back({"x-opsview-username", "ann"});
  EXPECT_EQ(opsview_dialect().session(m)->user, "ann");
}

}  // namespace
}  // namespace checkrelay::opsview
