#include "plugins/dialects/groundwork/command.h"

#include "plugins/dialects/answer.h"
#include "tests/plugins/dialects/groundwork/server.h"

namespace checkrelay::groundwork {
namespace {

using End = CommandReport::End;
using Words = std::vector<std::string>;

Message text(int status, std::string body) {
  return Message::response(status, std::move(body), "text/plain");
}

// One command, and what was asked and reported.
struct Asked {
  explicit Asked(const Options& o = options()) : x(o) {}
  CommandReport operator()(const Words& words, const Exchanges::Answer& answer) {
    auto report = std::make_shared<CommandReport>();
    auto conversation = x.outbound->command(words, report);
    EXPECT_TRUE(conversation) << (conversation ? "" : conversation.error().what);
    if (!conversation) return {};
    EXPECT_EQ(x.run(std::move(*conversation), answer).size(), 1U);
    return *report;
  }
  Exchanges x;
};

std::string target_of(const Words& words) {
  Asked asked;
  asked(words, [](const Message&) { return text(503, ""); });
  if (asked.x.asked.empty()) return "";
  const Message& m = asked.x.asked[0];
  return m.method + " " + m.target.substr(std::string("https://gw.example.com/api").size());
}

std::string fault_of(const Words& words) {
  Exchanges x;
  auto command = x.outbound->command(words, std::make_shared<CommandReport>());
  return command ? "" : command.error().what;
}

TEST(GroundWorkCommand, AsksAtTheDocumentedPathsWithEverythingEncoded) {
  EXPECT_EQ(target_of({"hosts", "list"}), "GET /hosts");
  EXPECT_EQ(
      target_of({"hosts", "list", "--query", "property.X like 'a%' & b", "--first=5", "--count",
                 "10", "--depth", "simple"}),
      "GET /hosts?query=property.X%20like%20%27a%25%27%20%26%20b&first=5&count=10&depth=simple");
  EXPECT_EQ(target_of({"hosts", "get", "a/b c?"}), "GET /hosts/a%2Fb%20c%3F");
  EXPECT_EQ(target_of({"hosts", "delete", "a", "b.c"}), "DELETE /hosts/a,b.c");
  EXPECT_EQ(target_of({"hosts", "rename", "a&b", "c=d"}),
            "PUT /hosts/rename?oldHostName=a%26b&newHostName=c%3Dd");
  EXPECT_EQ(target_of({"hosts", "complete", "db 1"}), "GET /hosts/autocomplete/db%201?limit=1000");
  EXPECT_EQ(target_of({"hosts", "complete", ""}), "GET /hosts/autocomplete/*?limit=1000");
  EXPECT_EQ(target_of({"hosts", "filter", "Linux Servers", "a,b"}),
            "GET /hosts/filter?hostGroupNames=Linux%20Servers,a%2Cb");
}

TEST(GroundWorkCommand, RequestsAreSignedAndWantJson) {
  Options o = options();
  o.set("format", std::string("xml"));
  Asked asked(o);
  asked({"hosts", "list"}, [](const Message&) { return json(200, "[]"); });
  const Message& m = asked.x.asked.at(0);
  EXPECT_EQ(token_of(m), "TOKEN-1");
  EXPECT_EQ(*m.header("Accept"), "application/json");
  EXPECT_EQ(*m.header("Content-Type"), "application/json");
  EXPECT_EQ(*m.header("GWOS-APP-NAME"), "checkrelay");
}

TEST(GroundWorkCommand, NamesThatAPathCannotListAreDeletedByABodyInTheDestinationsFormat) {
  const Words words{"hosts", "delete", "a,b", "c\"<"};
  auto body = [&](const std::string& format) {
    Options o = options();
    o.set("format", format);
    Asked asked(o);
    asked(words, [](const Message&) { return text(503, ""); });
    EXPECT_EQ(asked.x.asked.at(0).method, "DELETE");
    EXPECT_EQ(asked.x.asked[0].target, "https://gw.example.com/api/hosts");
    return asked.x.asked[0].body;
  };
  EXPECT_EQ(body("json"), R"({"hosts":[{"hostName":"a,b"},{"hostName":"c\"<"}]})");
  EXPECT_EQ(body("json_array"), R"([{"hostName":"a,b"},{"hostName":"c\"<"}])");
  EXPECT_NE(body("xml").find(R"(<host hostName="a,b"/><host hostName="c&quot;&lt;"/>)"),
            std::string::npos);
}

TEST(GroundWorkCommand, MistakesAreToldWithWhatThereIs) {
  for (const Words& words : {Words{},
                             {"hosts"},
                             {"outages", "list"},
                             {"hosts", "lst"},
                             {"hosts", "get"},
                             {"hosts", "get", "a", "b"},
                             {"hosts", "rename", "a"},
                             {"hosts", "delete"},
                             {"hosts", "filter"},
                             {"hosts", "list", "a"},
                             {"hosts", "list", "--query"},
                             {"hosts", "list", "--first", "x"},
                             {"hosts", "list", "--count=-1"},
                             {"hosts", "list", "--depth", "bottomless"},
                             {"hosts", "list", "--node", "a"}}) {
    EXPECT_NE(fault_of(words).find("hosts complete PREFIX"), std::string::npos) << fault_of(words);
  }
}

TEST(GroundWorkCommand, NamesThatNoHostCanHaveAreNotSent) {
  EXPECT_NE(fault_of({"hosts", "get", ".."}), "");
  EXPECT_NE(fault_of({"hosts", "get", ""}), "");
  EXPECT_NE(fault_of({"hosts", "delete", "a", "b\nc"}), "");
  EXPECT_NE(fault_of({"hosts", "rename", "a", std::string(300, 'x')}), "");
}

CommandReport told(const Words& words, Message answer) {
  return Asked()(words, [&](const Message&) { return answer; });
}

TEST(GroundWorkCommand, ListsAreArraysInEveryShape) {
  const Words list{"hosts", "list"}, complete{"hosts", "complete", "l"};
  EXPECT_EQ(told(list, json(200, R"({ "hosts": [ {"hostName":"a", "id":1} ] })")).json,
            R"([{"hostName":"a","id":1}])");
  EXPECT_EQ(told(list, json(200, R"([{"hostName":"a"}])")).json, R"([{"hostName":"a"}])");
  EXPECT_EQ(told(complete, json(200, R"({"names":["l1","l2"]})")).json, R"(["l1","l2"])");
  EXPECT_EQ(told(complete, json(200, R"({"names":[{"name":"l1","canonicalName":"x"},
                                                   {"canonicalName":"l2"}]})"))
                .json,
            R"(["l1","l2"])");
  EXPECT_EQ(told(complete, json(200, R"([{"name":"l1"}])")).json, R"(["l1"])");
}

TEST(GroundWorkCommand, NothingFoundIsAnEmptyListOrNoSuchHost) {
  for (const Words& words :
       {Words{"hosts", "list"}, {"hosts", "complete", "x"}, {"hosts", "filter", "x"}}) {
    const CommandReport report = told(words, text(404, ""));
    EXPECT_EQ(report.end, End::done);
    EXPECT_EQ(report.json, "[]");
  }
  for (const Words& words : {Words{"hosts", "get", "x"}, {"hosts", "rename", "x", "y"}}) {
    const CommandReport report = told(words, text(404, ""));
    EXPECT_EQ(report.end, End::refused);
    EXPECT_NE(report.what.find("no host \"x\""), std::string::npos) << report.what;
  }
}

TEST(GroundWorkCommand, GroupsAreFilteredAtTheOtherPathWhereTheFirstIsNone) {
  for (const Message& first :
       {text(404, ""), text(405, ""), json(200, R"({"hostName":"filter"})")}) {
    Asked asked;
    const CommandReport report = asked({"hosts", "filter", "g"}, [&](const Message& m) {
      return m.target.find("/hostgroups?hostGroupNames=g") == std::string::npos
                 ? first
                 : json(200, R"({"hosts":[{"hostName":"a"}]})");
    });
    EXPECT_EQ(report.json, R"([{"hostName":"a"}])");
    EXPECT_EQ(asked.x.asked.size(), 2U);
  }
}

TEST(GroundWorkCommand, DeletionsAreJudgedHostByHost) {
  const Words words{"hosts", "delete", "a", "b"};
  EXPECT_EQ(told(words, json(200, R"({"results":[{"entity":"a","status":"success"},
                                                 {"entity":"b","status":"success"}]})"))
                .json,
            R"([{"entity":"a","status":"success"},{"entity":"b","status":"success"}])");
  CommandReport report = told(words, json(200, R"({"results":[
      {"entity":"a","status":"success"},{"entity":"b","status":"warning","message":"not found"}]})"));
  EXPECT_EQ(report.end, End::refused);
  EXPECT_EQ(report.what, "b: not found");
  report = told(words, json(200, R"({"results":[{"entity":"a","status":"success"}]})"));
  EXPECT_EQ(report.end, End::refused);
  EXPECT_EQ(told(words, json(200, "")).end, End::unreachable);
}

TEST(GroundWorkCommand, WhatIsToldIsUtf8WhateverTheServerWrites) {
  const Message answer = Message::response(
      200, "<results><result entity=\"\xb8\" status=\"success\"/></results>", "application/xml");
  EXPECT_EQ(told({"hosts", "delete", "a"}, answer).json,
            "[{\"entity\":\"\xef\xbf\xbd\",\"status\":\"success\"}]");
}

TEST(GroundWorkCommand, AnswersFallIntoTheirClass) {
  const Words get{"hosts", "get", "a"};
  EXPECT_EQ(told(get, json(200, R"({"hostName":"a"})")).json, R"({"hostName":"a"})");
  for (int status : {400, 403, 409}) EXPECT_EQ(told(get, text(status, "no")).end, End::refused);
  for (int status : {302, 405, 415, 429, 500, 503})
    EXPECT_EQ(told(get, text(status, "")).end, End::unreachable) << status;
  for (const Message& m :
       {Message::response(404, "<html>", "text/html"),
        Message::response(200, "<html>", "text/html"), json(200, "[]"), json(200, ""),
        json(200, "{"), Message::failure(Trouble::timeout, "slow"),
        Message::failure(Trouble::too_large, "longer than 1 MiB")}) {
    const CommandReport report = told(get, m);
    EXPECT_EQ(report.end, End::unreachable) << m.body;
    EXPECT_FALSE(report.what.empty());
  }
}

TEST(GroundWorkCommand, AnEndedTokenCostsOneLogin) {
  Asked asked;
  asked.x.run(services(1), [](const Message& m) { return results(m); });
  int n = 0;
  const CommandReport report = asked({"hosts", "list"}, [&](const Message&) {
    return ++n == 1 ? json(401, "") : json(200, R"({"hosts":[]})");
  });
  EXPECT_EQ(report.json, "[]");
  EXPECT_EQ(asked.x.logins.size(), 2U);
}

TEST(GroundWorkCommand, AFreshTokenThatIsRefusedIsForWantOfRights) {
  Asked asked;
  const CommandReport report =
      asked({"hosts", "delete", "a"}, [](const Message&) { return json(401, ""); });
  EXPECT_EQ(report.end, End::refused);
  EXPECT_NE(report.what.find("may this account"), std::string::npos);
  EXPECT_EQ(asked.x.logins.size(), 1U);
}

TEST(GroundWorkCommand, SecretsAreNotRepeated) {
  Asked asked;
  const CommandReport report = asked({"hosts", "get", "a"}, [](const Message&) {
    return text(400, "hunter2-secret aHVudGVyMi1zZWNyZXQ= TOKEN-1");
  });
  for (const char* secret : {"hunter2", "aHVudGVy", "TOKEN-1"})
    EXPECT_EQ(report.what.find(secret), std::string::npos) << report.what;
}

TEST(GroundWorkCommand, ARefusedLoginIsTold) {
  Asked asked;
  asked.x.login = [](const Message&) { return text(401, "wrong"); };
  const CommandReport report =
      asked({"hosts", "list"}, [](const Message&) { return text(200, ""); });
  EXPECT_EQ(report.end, End::unreachable);
  EXPECT_TRUE(report.what.starts_with("login: ")) << report.what;
  EXPECT_TRUE(asked.x.asked.empty());
}

Message dated(Message m) {
  m.headers.push_back({"Date", "Sun, 21 Dec 2019 00:01:40 GMT"});
  return m;
}

TEST(GroundWorkTest, SaysWhoMaySubmitAndHowTheClocksDiffer) {
  Asked asked;
  const auto there = parse_http_date("Sun, 21 Dec 2019 00:01:40 GMT");
  ASSERT_TRUE(there);
  asked.x.now.wall = *there - std::chrono::seconds(100);
  const CommandReport report = asked({"test"}, [](const Message& m) { return dated(results(m)); });
  EXPECT_EQ(report.end, End::done);
  EXPECT_EQ(
      report.json,
      R"({"system":"GroundWork","user":"relay","may_submit":true,"clock_difference_s":100,)"
      R"("remarks":["its clock is 100 s ahead of ours: see to time synchronisation at both ends"]})");
  EXPECT_TRUE(items_of(asked.x.asked.at(0)).empty());
  ASSERT_EQ(asked.x.afterwards.size(), 1U);
  EXPECT_TRUE(asked.x.afterwards[0].target.ends_with("/auth/logout"));
}

TEST(GroundWorkTest, CredentialsThatAreNotTakenAreARefusal) {
  Asked asked;
  asked.x.login = [](const Message&) { return text(404, "password hunter2-secret is wrong"); };
  const CommandReport report = asked({"test"}, [](const Message& m) { return results(m); });
  EXPECT_EQ(report.end, End::refused);
  EXPECT_NE(report.what.find("login_encoding"), std::string::npos) << report.what;
  EXPECT_NE(report.json.find(R"("may_submit":false)"), std::string::npos) << report.json;
  EXPECT_EQ((report.what + report.json).find("hunter2"), std::string::npos);
}

TEST(GroundWorkTest, AnAccountThatMayNotWriteIsARefusal) {
  const CommandReport report = told({"test"}, json(401, ""));
  EXPECT_EQ(report.end, End::refused);
  EXPECT_NE(report.what.find("may this account write"), std::string::npos) << report.what;
}

TEST(GroundWorkTest, WhatIsNoGroundWorkIsUnreachable) {
  for (const Message& m : {text(503, ""), Message::response(200, "<html>", "text/html"),
                           json(404, ""), Message::failure(Trouble::connect, "refused")}) {
    const CommandReport report = told({"test"}, m);
    EXPECT_EQ(report.end, End::unreachable) << m.body;
    EXPECT_FALSE(report.what.empty());
  }
}

}  // namespace
}  // namespace checkrelay::groundwork
