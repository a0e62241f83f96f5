#include "plugins/dialects/opmantek/source.h"

#include <gtest/gtest.h>

namespace checkrelay::opmantek {
namespace {

Settings settings() {
  Settings s;
  s.url = "https://nmis/en/omk";
  s.api = "/admin/api/v3";
  s.login = {"relay", Secret("hunter22")};
  return s;
}

Message json(int status, std::string body) {
  return Message::response(status, std::move(body), "application/json");
}

Message cookie(std::string value) {
  Message m = json(200, "{}");
  m.headers.push_back({"Set-Cookie", "lang=en; path=/"});
  m.headers.push_back({"set-cookie", "omk=" + value + "; HttpOnly"});
  return m;
}

Message page() { return Message::response(200, "<html>log in</html>", "text/html"); }

// A conversation, and what it asked and said last.
class Exchange {
 public:
  explicit Exchange(std::unique_ptr<Conversation> c) : conversation_(std::move(c)) {
    Actions out;
    conversation_->start({}, out);
    take(std::move(out));
  }
  Exchange& hears(Message m) {
    Actions out;
    conversation_->receive(std::move(m), {}, out);
    take(std::move(out));
    return *this;
  }
  Message asked{};
  std::size_t requests = 0;
  std::optional<Verdict> verdict{};
  bool closed = false;

 private:
  void take(Actions out) {
    requests += out.send.size();
    if (!out.send.empty()) asked = out.send.back();
    if (!out.verdicts.empty()) verdict = out.verdicts.back();
    closed = closed || out.close;
  }
  std::unique_ptr<Conversation> conversation_;
};

std::string cookies_of(const Message& m) {
  for (const SecretHeader& h : m.secret_headers)
    if (h.name == "Cookie") return h.value.reveal();
  return "";
}

TEST(OutageSource, LogsInKeepsTheWholeJarAndBringsTheList) {
  auto source = make_source(settings());
  auto list = std::make_shared<OutageList>();
  Exchange e(source->fetch(list));
  EXPECT_EQ(e.asked.target, "https://nmis/en/omk/admin/login");
  EXPECT_EQ(e.asked.body, "username=relay&password=hunter22");
  e.hears(cookie("1"));
  EXPECT_EQ(e.asked.target, "https://nmis/en/omk/admin/api/v3/outages");
  EXPECT_EQ(cookies_of(e.asked), "lang=en; omk=1");
  e.hears(json(200, R"([{"id":"1","nodes":["a"],"start":1,"end":2}])"));
  ASSERT_TRUE(e.closed);
  EXPECT_EQ(e.verdict->judgement, Judgement::delivered);
  EXPECT_EQ(list->outages.size(), 1U);
  Exchange again(source->fetch(list));
  EXPECT_EQ(again.asked.method, "GET");
}

TEST(OutageSource, ALostSessionIsLoggedInToOnceMore) {
  for (int how = 0; how < 3; ++how) {
    auto source = make_source(settings());
    Exchange first(source->fetch(std::make_shared<OutageList>()));
    first.hears(cookie("1")).hears(json(200, "[]"));
    Exchange e(source->fetch(std::make_shared<OutageList>()));
    Message redirect = Message::response(302, "", "text/html");
    redirect.headers.push_back({"Location", "/en/omk/admin/login"});
    e.hears(how == 0 ? json(401, R"({"error":"no"})") : how == 1 ? page() : redirect);
    EXPECT_EQ(e.asked.method, "POST");
    e.hears(cookie("2"));
    EXPECT_EQ(cookies_of(e.asked), "lang=en; omk=2");
    e.hears(json(200, "[]"));
    EXPECT_EQ(e.verdict->judgement, Judgement::delivered);
  }
}

TEST(OutageSource, AfterTroubleOfAnyKindTheNextOneLogsIn) {
  auto source = make_source(settings());
  Exchange first(source->fetch(std::make_shared<OutageList>()));
  first.hears(cookie("1")).hears(json(200, "[]"));
  Exchange odd(source->fetch(std::make_shared<OutageList>()));
  EXPECT_EQ(odd.asked.method, "GET");
  odd.hears(json(200, R"({"error":"session expired"})"));
  ASSERT_TRUE(odd.closed);
  EXPECT_NE(odd.verdict->judgement, Judgement::delivered);
  Exchange e(source->fetch(std::make_shared<OutageList>()));
  EXPECT_EQ(e.asked.method, "POST");
}

TEST(OutageSource, CredentialsThatAreNotTakenAreToldOnceInEveryShape) {
  for (int how = 0; how < 3; ++how) {
    Exchange e(make_source(settings())->fetch(std::make_shared<OutageList>()));
    if (how == 0) e.hears(json(401, R"({"error":"hunter22 is wrong"})"));
    if (how == 1) e.hears(page());
    if (how == 2) e.hears(cookie("1")).hears(page());
    ASSERT_TRUE(e.closed) << how;
    EXPECT_EQ(e.verdict->judgement, Judgement::auth);
    EXPECT_EQ(e.verdict->answer.find("hunter22"), std::string::npos);
    EXPECT_LE(e.requests, 2U);
  }
}

TEST(OutageSource, TroubleIsNamed) {
  auto after_login = [](Message m) {
    Exchange e(make_source(settings())->fetch(std::make_shared<OutageList>()));
    e.hears(cookie("1")).hears(std::move(m));
    EXPECT_TRUE(e.closed);
    return e.verdict ? e.verdict->judgement : Judgement::delivered;
  };
  EXPECT_EQ(after_login(json(503, "{}")), Judgement::transient);
  EXPECT_EQ(after_login(json(200, "")), Judgement::transient);
  EXPECT_EQ(after_login(json(200, "{}")), Judgement::transient);
  EXPECT_EQ(after_login(Message::response(404, "<html>", "text/html")), Judgement::config);
  EXPECT_EQ(after_login(Message::failure(Trouble::timeout, "slow")), Judgement::transient);
  EXPECT_EQ(after_login(Message::failure(Trouble::tls, "expired")), Judgement::config);
}

TEST(OutageSource, AnUpdateReadsBeforeItWrites) {
  auto report = std::make_shared<CommandReport>();
  std::vector<std::string> words{"outages", "update", "a/b", "--change-id", "C"};
  auto c = make_source(settings())->command(words, report);
  ASSERT_TRUE(c);
  Exchange e(std::move(*c));
  e.hears(cookie("1"));
  EXPECT_EQ(e.asked.target, "https://nmis/en/omk/admin/api/v3/outages/a%2Fb");
  e.hears(json(200, R"({"id":"a/b","nodes":{"name":["n"]},"start":1,"end":2})"));
  EXPECT_EQ(e.asked.method, "PUT");
  e.hears(json(401, "{}"));
  EXPECT_EQ(e.verdict->judgement, Judgement::auth);
  EXPECT_EQ(report->end, CommandReport::End::refused);
}

TEST(OutageSource, ATestTellsWhatItFound) {
  Settings old = settings();
  old.api = "/admin/api/v2";
  auto report = std::make_shared<CommandReport>();
  const std::vector<std::string> words{"test"};
  Exchange e(*make_source(old)->command(words, report));
  Message answer =
      json(200, R"([{"id":"1","nodes":["a"],"start":1,"end":2},{"id":"2","nodes":7}])");
  answer.headers.push_back({"Date", "Thu, 01 Jan 1970 00:02:00 GMT"});
  e.hears(cookie("1")).hears(answer);
  EXPECT_EQ(report->end, CommandReport::End::done);
  EXPECT_EQ(
      report->json.substr(0, report->json.find(",\"remarks\"")),
      R"({"system":"NMIS outages","user":"relay","may_submit":"unknown","clock_difference_s":120)");
  for (const char* part : {"120 s ahead", "left out: outage \\\"2\\\"", "set api to v3", "read: 1"})
    EXPECT_NE(report->json.find(part), std::string::npos) << part << " in " << report->json;
}

TEST(OutageSource, ATestOfWrongCredentialsIsARefusalAndOfNobodyIsNone) {
  const std::vector<std::string> words{"test"};
  auto refused = std::make_shared<CommandReport>();
  Exchange e(*make_source(settings())->command(words, refused));
  e.hears(json(401, R"({"error":"hunter22 is wrong"})"));
  EXPECT_EQ(refused->end, CommandReport::End::refused);
  EXPECT_NE(refused->json.find("\"may_submit\":false"), std::string::npos) << refused->json;
  EXPECT_EQ(refused->json.find("hunter22"), std::string::npos);
  auto nobody = std::make_shared<CommandReport>();
  Exchange f(*make_source(settings())->command(words, nobody));
  f.hears(Message::failure(Trouble::connect, "refused"));
  EXPECT_EQ(nobody->end, CommandReport::End::unreachable);
  EXPECT_TRUE(nobody->json.empty());
}

TEST(OutageSource, ACommandsAnswerIsReported) {
  auto run = [](std::vector<std::string> words, Message m) {
    auto report = std::make_shared<CommandReport>();
    Exchange e(*make_source(settings())->command(words, report));
    e.hears(cookie("1")).hears(std::move(m));
    EXPECT_TRUE(e.closed);
    return *report;
  };
  EXPECT_EQ(run({"outages", "list"}, json(200, "[ ]")).json, "[]");
  EXPECT_EQ(run({"outages", "delete", "1"}, json(200, R"({"success":1})")).end,
            CommandReport::End::done);
  for (int status : {400, 404})
    EXPECT_EQ(run({"outages", "delete", "1"}, json(status, R"({"error":"x"})")).end,
              CommandReport::End::refused);
  EXPECT_EQ(run({"outages", "get", "1"}, json(500, "{}")).end, CommandReport::End::unreachable);
  EXPECT_EQ(run({"outages", "get", "1"}, json(403, "{}")).end, CommandReport::End::refused);
  EXPECT_FALSE(run({"outages", "get", "1"}, Message::failure(Trouble::connect, "")).what.empty());
}

}  // namespace
}  // namespace checkrelay::opmantek
