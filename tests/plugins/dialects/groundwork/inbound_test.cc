#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/dialect.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

using nlohmann::json;

class FakeLogins : public Logins {
 public:
  Result<Secret> open(const Credentials& given, Duration, Instant) override {
    if (given.user != "ann" || given.secret.reveal() != "pa:ss") return fail(Errc::refused, "no");
    return Secret("0123456789abcdef");
  }
  void close(const Secret& token) override { closed = token.reveal(); }
  std::string closed;
};

class GroundWorkInbound : public testing::Test {
 protected:
  GroundWorkInbound() { open(true); }
  void open(bool authenticated, std::size_t max_result = 65536) {
    InboundContext context{.framing = Framing::http, .max_result = max_result};
    context.authenticated = authenticated;
    context.logins = &logins_;
    conversation_ = groundwork_dialect().inbound(context);
  }
  Actions ask(std::string target, std::string body, std::vector<Header> headers = {},
              std::string method = "POST") {
    Actions out;
    Message m = Message::request(std::move(method), std::move(target), std::move(body));
    m.headers = std::move(headers);
    conversation_->receive(std::move(m), {}, out);
    return out;
  }
  Actions settle(Ticket ticket, const std::vector<Outcome>& outcomes) {
    Actions out;
    conversation_->settle(ticket, outcomes, {}, out);
    return out;
  }
  Message at_once(std::string target, std::string body, std::vector<Header> headers = {},
                  std::string method = "POST") {
    Actions out = ask(std::move(target), std::move(body), std::move(headers), std::move(method));
    EXPECT_TRUE(out.submit.empty());
    EXPECT_EQ(out.send.size(), 1U);
    return out.send.empty() ? Message{} : out.send[0];
  }
  FakeLogins logins_;
  std::unique_ptr<Conversation> conversation_;
};

constexpr const char* kService =
    R"({"services":[{"hostName":"db1","description":"Backup","monitorStatus":"WARNING",
    "appType":"RELAY","lastCheckTime":"2026-01-05T10:15:00.000+0000",
    "properties":{"LastPluginOutput":"took 91 min","PerformanceData":"dur=5460s"}}]})";

const std::vector<Header> kXmlBoth{{"Content-Type", "application/xml"},
                                   {"Accept", "application/xml"}};

TEST_F(GroundWorkInbound, ServicesBecomeResults) {
  Actions out = ask("/api/services?merge=true&async=false", kService);
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_TRUE(out.send.empty());
  ASSERT_EQ(out.submit[0].results.size(), 1U);
  const CheckResult& r = out.submit[0].results[0];
  EXPECT_EQ(r.subject, (Subject{"db1", "Backup"}));
  EXPECT_EQ(r.state, 1);
  EXPECT_EQ(r.output, "took 91 min");
  EXPECT_EQ(r.perfdata, "dur=5460s");
  EXPECT_EQ(r.time, Wall(std::chrono::seconds(1'767'608'100)));
}

TEST_F(GroundWorkInbound, AnswersWithAResultsDocumentOnceSettled) {
  Ticket ticket = ask("/api/services", kService).submit.at(0).ticket;
  Actions out = settle(ticket, {{.ok = true, .id = "x"}});
  ASSERT_EQ(out.send.size(), 1U);
  EXPECT_EQ(out.send[0].status, 200);
  EXPECT_EQ(*out.send[0].header("Content-Type"), "application/json");
  EXPECT_EQ(json::parse(out.send[0].body),
            json::parse(R"({"successful":1,"failed":0,"warning":0,"count":1,
            "entityType":"ServiceStatus","operation":"Update","results":[{"entity":"db1:Backup",
            "status":"success","location":"/api/services/Backup?hostName=db1"}]})"));
}

TEST_F(GroundWorkInbound, XmlIsTakenAndAnsweredAsXml) {
  Actions out = ask("/foundation-webapp/api/hosts",
                    R"(<hosts><host hostName="a&amp;b" monitorStatus="UNSCHEDULED DOWN"
                    description="First of my servers"><properties>
                    <property name="LastPluginOutput" value="one&#10;two|x=1"/></properties></host>
                    </hosts>)",
                    kXmlBoth);
  ASSERT_EQ(out.submit.size(), 1U);
  const CheckResult r = out.submit[0].results.at(0);
  EXPECT_EQ(r.subject, (Subject{"a&b", ""}));
  EXPECT_EQ(r.state, 1);
  EXPECT_EQ(r.output, "one\ntwo");
  EXPECT_EQ(r.perfdata, "x=1");
  Actions settled = settle(out.submit[0].ticket, {{.ok = true}});
  EXPECT_EQ(*settled.send.at(0).header("Content-Type"), "application/xml");
  auto rows = read_results(settled.send[0].body, "application/xml");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).entity, "a&b");
}

TEST_F(GroundWorkInbound, TheBareListOf70IsTaken) {
  Actions out = ask("/api/hosts", R"([{"hostName":"a","monitorStatus":"UP"},
                                      {"hostName":"b","monitorStatus":"UNREACHABLE"}])");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results.size(), 2U);
  EXPECT_EQ(out.submit[0].results[1].state, 2);
  EXPECT_EQ(out.submit[0].results[1].time, Wall{});
}

TEST_F(GroundWorkInbound, BadItemsFailByThemselves) {
  Actions out = ask("/api/services", R"({"services":[
    {"hostName":"a","monitorStatus":"OK"},
    {"hostName":"a","description":"s","monitorStatus":"OK"},
    {"hostName":"a","description":"t","monitorStatus":"PENDING"},
    {"hostName":"a","description":"u","monitorStatus":"UP"},
    {"hostName":"a","description":"v"},
    {"hostName":"a","description":"w","monitorStatus":"OK","lastCheckTime":"soon"},
    {"hostName":["a"],"description":"x","monitorStatus":"OK"},
    7]})");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results.size(), 1U);
  EXPECT_EQ(out.refused.size(), 7U);
  EXPECT_EQ(out.refused[0].line, 1U);
  EXPECT_EQ(out.refused[0].what, "description: missing");
  EXPECT_EQ(out.refused[1].line, 3U);
  auto document = json::parse(settle(out.submit[0].ticket, {{.ok = true}}).send.at(0).body);
  EXPECT_EQ(document.at("successful"), 1);
  EXPECT_EQ(document.at("failed"), 7);
  EXPECT_EQ(document.at("results").at(0).at("entity"), "(Unknown)");
  EXPECT_EQ(document.at("results").at(2).at("entity"), "a:t");
  EXPECT_EQ(document.at("results").at(2).at("message"),
            "monitorStatus: \"PENDING\" is no state of a check");
}

TEST_F(GroundWorkInbound, StatusesThatTheServerRewroteOrSomebodyAcknowledgedAreStates) {
  Actions out = ask("/api/services", R"j({"services":[
    {"hostName":"a","description":"1","monitorStatus":"ACKNOWLEDGEMENT (WARNING)"},
    {"hostName":"a","description":"2","monitorStatus":"unscheduled critical"},
    {"hostName":"a","description":"3","monitorStatus":"SCHEDULED CRITICAL"},
    {"hostName":"a","description":"4","monitorStatus":"ACKNOWLEDGEMENT ()"},
    {"hostName":"a","description":"5","monitorStatus":"ACKNOWLEDGEMENT (UP)"},
    {"hostName":"a","description":"6","monitorStatus":"ACKNOWLEDGEMENT ("},
    {"hostName":"a","description":"7","monitorStatus":"MAINTENANCE"}]
})j");
  ASSERT_EQ(out.submit.size(), 1U);
  ASSERT_EQ(out.submit[0].results.size(), 3U);
  EXPECT_EQ(out.submit[0].results[0].state, 1);
  EXPECT_EQ(out.submit[0].results[1].state, 2);
  EXPECT_EQ(out.submit[0].results[2].state, 2);
}

TEST_F(GroundWorkInbound, WhereEveryItemIsBadTheAnswerComesAtOnce) {
  Message m = at_once("/api/hosts", R"({"hosts":[{"hostName":""}]})");
  EXPECT_EQ(m.status, 200);
  EXPECT_EQ(json::parse(m.body).at("failed"), 1);
}

TEST_F(GroundWorkInbound, AnEmptyListIsNoFault) {
  Message m = at_once("/api/hosts", R"({"hosts":[]})");
  EXPECT_EQ(m.status, 200);
  EXPECT_EQ(json::parse(m.body).at("count"), 0);
}

TEST_F(GroundWorkInbound, BodiesThatAreNoListAre400) {
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("{}"), std::string(R"({"services":null})"),
        std::string(R"({"hosts":[]})"), std::string("7"), std::string(60000, '[')}) {
    EXPECT_EQ(at_once("/api/services", body, {{"Content-Type", "application/json"}}).status, 400)
        << quoted(body);
  }
  for (const std::string& body :
       {std::string(), std::string("<services"), std::string("<hosts></hosts>"),
        std::string("<!DOCTYPE s><services></services>"), std::string(60000, '<')}) {
    Message m = at_once("/api/services", body, kXmlBoth);
    EXPECT_EQ(m.status, 400) << quoted(body);
    EXPECT_TRUE(m.body.starts_with("<error error=")) << m.body;
  }
}

TEST_F(GroundWorkInbound, TimesComeInEveryForm) {
  for (const char* time : {"1767608100000", "\"1767608100000\"",
                           "\"2026-01-05T03:15:00.000-07:00\"", "\"2026-01-05T10:15:00Z\""}) {
    Actions out =
        ask("/api/hosts",
            std::string(R"([{"hostName":"a","monitorStatus":"UP","lastCheckTime":)") + time + "}]");
    ASSERT_EQ(out.submit.size(), 1U) << time;
    EXPECT_EQ(out.submit[0].results[0].time, Wall(std::chrono::seconds(1'767'608'100))) << time;
  }
  EXPECT_EQ(ask("/api/hosts", R"([{"hostName":"a","monitorStatus":"UP","lastCheckTime":"0"}])")
                .submit.at(0)
                .results[0]
                .time,
            Wall{});
}

TEST_F(GroundWorkInbound, BadUtf8IsReplacedInTextsAndRefusedInNames) {
  Actions out = ask("/api/hosts",
                    "[{\"hostName\":\"a\",\"monitorStatus\":\"UP\",\"properties\":"
                    "{\"LastPluginOutput\":\"caf\xe9\"}},{\"hostName\":\"\xe9\","
                    "\"monitorStatus\":\"UP\"}]");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].output, "caf\uFFFD");
  EXPECT_EQ(out.submit[0].mended, 2U);
}

TEST_F(GroundWorkInbound, OversizedItemsFailByThemselves) {
  open(true, 100);
  Message m = at_once("/api/hosts", R"([{"hostName":"a","monitorStatus":"UP","properties":
    {"LastPluginOutput":")" + std::string(200, 'x') +
                                        R"("}}])");
  EXPECT_EQ(json::parse(m.body).at("failed"), 1);
}

TEST_F(GroundWorkInbound, OurTroubleIsTheWholeRequestsSoThatItIsSentAgain) {
  for (auto [code, status] : std::initializer_list<std::pair<Errc, int>>{
           {Errc::full, 507}, {Errc::unavailable, 503}, {Errc::corrupt, 503}}) {
    Ticket ticket = ask("/api/services", kService).submit.at(0).ticket;
    Actions out = settle(ticket, {{.ok = false, .code = code, .error = "trouble"}});
    EXPECT_EQ(out.send.at(0).status, status);
    EXPECT_NE(out.send[0].header("Retry-After"), nullptr);
  }
}

TEST_F(GroundWorkInbound, RefusedItemsAreFailures) {
  Ticket ticket = ask("/api/services", kService).submit.at(0).ticket;
  Actions out = settle(ticket, {{.ok = false, .code = Errc::refused, .error = "not yours"}});
  EXPECT_EQ(out.send.at(0).status, 200);
  auto row = json::parse(out.send[0].body).at("results").at(0);
  EXPECT_EQ(row.at("status"), "failure");
  EXPECT_EQ(row.at("message"), "not yours");
}

TEST_F(GroundWorkInbound, WithoutATokenNothingIsTaken) {
  open(false);
  Message none = at_once("/api/services", kService, {{"Accept", "application/json"}});
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.body, R"({"error":"Unauthorized","status":401})");
  EXPECT_NE(none.header("WWW-Authenticate"), nullptr);
  EXPECT_EQ(at_once("/api/services", kService, {{"Accept", "*/*"}}).body, "");
  Message xml = at_once("/api/services", kService, {{"Accept", "application/xml"}});
  EXPECT_EQ(xml.body, R"(<error error="Unauthorized" status="401"/>)");
  EXPECT_EQ(at_once("/api/services", kService, {{"GWOS-APP-NAME", "x"}}).status, 400);
  EXPECT_EQ(at_once("/api/services", kService, {{"GWOS-API-TOKEN", "x"}}).status, 400);
  EXPECT_EQ(
      at_once("/api/services", kService, {{"GWOS-API-TOKEN", "x"}, {"GWOS-APP-NAME", "y"}}).status,
      401);
}

TEST_F(GroundWorkInbound, OtherMethodsAndTypesAreRefused) {
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    Message m = at_once("/api/hosts", "", {}, method);
    EXPECT_EQ(m.status, 405);
    EXPECT_EQ(*m.header("Allow"), "POST");
    EXPECT_EQ(at_once("/api/auth/login", "", {}, method).status, 405);
  }
  EXPECT_EQ(at_once("/api/hosts", "x", {{"Content-Type", "text/csv"}}).status, 415);
  EXPECT_EQ(at_once("/api/hosts", "x", {{"Content-Encoding", "gzip"}}).status, 415);
}

TEST_F(GroundWorkInbound, LoginTakesEveryEncoding) {
  open(false);
  for (const char* body : {"user=ann&password=pa%3Ass&gwos-app-name=feeder",
                           "user=YW5u&password=cGE6c3M%3D&gwos-app-name=feeder",
                           "user=YW5u&password=pa:ss&gwos-app-name=feeder"}) {
    Message m = at_once("/api/auth/login", body);
    EXPECT_EQ(m.status, 200) << body;
    EXPECT_TRUE(m.body.starts_with("0123456789abcdef")) << m.body;
    EXPECT_EQ(*m.header("Content-Type"), "text/plain");
  }
  Message older = at_once("/api/auth/login?user=ann&password=pa%3Ass&gwos-app-name=feeder", "",
                          {{"Accept", "application/xml"}});
  EXPECT_EQ(older.status, 200);
  EXPECT_EQ(*older.header("Content-Type"), "application/xml");
}

TEST_F(GroundWorkInbound, BadLoginsAreRefused) {
  open(false);
  EXPECT_EQ(at_once("/api/auth/login", "user=ann&password=no&gwos-app-name=f").status, 401);
  EXPECT_EQ(at_once("/api/auth/login", "user=ann&password=pa:ss").status, 400);
  EXPECT_EQ(at_once("/api/auth/login", "").status, 400);
}

class GroundWorkToken : public GroundWorkInbound {
 protected:
  GroundWorkToken() {
    open(false);
    token_ = at_once("/api/auth/login", "user=ann&password=pa:ss&gwos-app-name=feeder").body;
  }
  static std::optional<Credentials> session(const std::string& target, std::string body,
                                            std::vector<Header> headers) {
    Message m = Message::request("POST", target, std::move(body));
    m.headers = std::move(headers);
    return groundwork_dialect().session(m);
  }
  std::string token_;
};

TEST_F(GroundWorkToken, IsGoodForItsApplicationAlone) {
  auto good = session("/api/hosts", "", {{"gwos-api-token", token_}, {"GWOS-APP-NAME", "feeder"}});
  ASSERT_TRUE(good);
  EXPECT_EQ(good->secret.reveal(), "0123456789abcdef");
  auto older = session("/api/hosts", "", {{"gwos-api-token", token_}, {"APP-NAME", "feeder"}});
  EXPECT_EQ(older->secret.reveal(), "0123456789abcdef");
  for (const char* app : {"other", ""}) {
    auto bad = session("/api/hosts", "", {{"GWOS-API-TOKEN", token_}, {"GWOS-APP-NAME", app}});
    ASSERT_TRUE(bad);
    EXPECT_TRUE(bad->secret.empty());
  }
  EXPECT_FALSE(session("/api/hosts", "", {{"GWOS-APP-NAME", "feeder"}}));
}

TEST_F(GroundWorkToken, EndsWithALogout) {
  const std::string form = "gwos-app-name=feeder&gwos-api-token=" + token_;
  EXPECT_EQ(session("/api/auth/logout", form, {})->secret.reveal(), "0123456789abcdef");
  EXPECT_EQ(at_once("/api/auth/logout", form).status, 404);  // the door knows no such token
  EXPECT_EQ(at_once("/api/auth/validatetoken", form).body, "false");
  open(true);
  EXPECT_EQ(at_once("/api/auth/validatetoken", form).body, "true");
  EXPECT_EQ(at_once("/api/auth/logout", form).status, 200);
  EXPECT_EQ(logins_.closed, "0123456789abcdef");
}

TEST(GroundWorkPaths, AreOwnedAndNoOthers) {
  for (const char* path :
       {"/api/hosts", "/api/services", "/api/auth/login", "/foundation-webapp/api/services"})
    EXPECT_TRUE(groundwork_dialect().owns_path(path)) << path;
  for (const char* path : {"/api/command/x", "/api/hosts/", "/v1/results", "/", "/rest/login"})
    EXPECT_FALSE(groundwork_dialect().owns_path(path)) << path;
  EXPECT_EQ(groundwork_dialect().inbound({.framing = Framing::stream}), nullptr);
}

}  // namespace
}  // namespace checkrelay::groundwork
