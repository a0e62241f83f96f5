#include <gtest/gtest.h>

#include "plugins/dialects/native/dialect.h"

namespace checkrelay {
namespace {

struct Request {
  std::unique_ptr<Conversation> conversation;
  Actions actions{};

  explicit Request(std::string body, const std::string& type = "", bool authenticated = true,
                   const std::string& method = "POST") {
    InboundContext context;
    context.framing = Framing::http;
    context.max_result = 100;
    context.authenticated = authenticated;
    context.auth_error = "no such user";
    conversation = native_dialect().inbound(context);
    Message m = Message::request(method, "/v1/results", std::move(body));
    if (!type.empty()) m.headers.push_back({"content-type", type});
    conversation->receive(std::move(m), {}, actions);
  }

  Message settled(std::vector<Outcome> outcomes) {
    EXPECT_TRUE(actions.send.empty()) << "answered before the commit";
    EXPECT_EQ(actions.submit.size(), 1U);
    Actions after;
    conversation->settle(actions.submit.at(0).ticket, outcomes, {}, after);
    EXPECT_EQ(after.send.size(), 1U);
    return after.send.at(0);
  }
  [[nodiscard]] Message answer() const { return actions.send.at(0); }
  [[nodiscard]] std::size_t results() const {
    return actions.submit.empty() ? 0 : actions.submit[0].results.size();
  }
};

constexpr const char* kGood = R"({"host":"h","state":0})";
Outcome good(std::string id) { return {true, std::move(id), Errc::invalid, {}}; }
Outcome bad(Errc code) { return {false, {}, code, "no"}; }

TEST(NativeHttp, OwnsItsPathOnly) {
  EXPECT_TRUE(native_dialect().owns_path("/v1/results"));
  EXPECT_FALSE(native_dialect().owns_path("/v1/results/"));
  EXPECT_FALSE(native_dialect().owns_path("/"));
}

TEST(NativeHttp, AnswersAfterTheCommitInOrder) {
  Request r(std::string(kGood) + "\nrubbish\n" + kGood + "\n");
  Message m = r.settled({good("a"), good("b")});
  EXPECT_EQ(m.status, 200);
  EXPECT_EQ(*m.header("content-type"), "application/json");
  EXPECT_EQ(
      m.body,
      R"({"accepted":2,"refused":1,"results":[{"ok":true,"id":"a"},)"
      R"({"ok":false,"error":"line 2: not JSON: The JSON document has an improper structure: )"
      R"(missing or superfluous commas, braces, missing keys, etc.: \"rubbish\""},)"
      R"({"ok":true,"id":"b"}]})");
}

TEST(NativeHttp, TakesListsObjectsAndMaps) {
  EXPECT_EQ(Request("[" + std::string(kGood) + ",\n" + kGood + "]").results(), 2U);
  EXPECT_EQ(Request("{\n\"host\":\"h\",\n\"state\":0}\n", "application/json").results(), 1U);
  EXPECT_EQ(Request("  " + std::string(kGood) + "\r\n" + kGood).results(), 2U);
  std::string map = "\x82\xa4host\xa1h\xa5state\x01";
  EXPECT_EQ(Request(map + map).results(), 2U);
  EXPECT_EQ(Request(map, "application/msgpack; x=y").results(), 1U);
}

TEST(NativeHttp, AFaultyElementLeavesItsNeighbours) {
  Request r("[{\"host\":\"h\",\"state\":}, " + std::string(kGood) + ", " + kGood);
  EXPECT_EQ(r.results(), 2U);
  Message m = r.settled({good("a"), good("b")});
  EXPECT_NE(m.body.find("element 1: not JSON"), std::string::npos);
  EXPECT_NE(m.body.find("element 4: not a list from here"), std::string::npos) << m.body;
}

TEST(NativeHttp, RefusesBodiesWithoutAResult) {
  for (const char* body : {"", " \n", "[]", "rubbish", "{}", "[[]]", "h\t0\tx"}) {
    Request r(body);
    EXPECT_EQ(r.answer().status, 400) << body;
    EXPECT_TRUE(r.actions.submit.empty());
  }
}

TEST(NativeHttp, OneResultTooLongIsItsOwnFault) {
  std::string longer = R"({"host":"h","state":0,"output":")" + std::string(100, 'x') + "\"}";
  EXPECT_EQ(Request(longer).answer().status, 413);
  EXPECT_EQ(Request("[" + longer + "]").answer().status, 413);
  Request both(longer + "\n" + kGood);
  EXPECT_EQ(both.settled({good("a")}).status, 200);
}

TEST(NativeHttp, TellsWhyNothingWasTaken) {
  EXPECT_EQ(Request(kGood).settled({bad(Errc::full)}).status, 507);
  EXPECT_EQ(Request(kGood).settled({bad(Errc::unavailable)}).status, 503);
  EXPECT_EQ(Request(kGood).settled({bad(Errc::refused)}).status, 403);
  EXPECT_EQ(Request(kGood).settled({bad(Errc::invalid)}).status, 400);
  EXPECT_EQ(Request(kGood).settled({}).status, 503);
}

TEST(NativeHttp, OtherMethodsAreToldWhichIsAllowed) {
  Message m = Request("", "", true, "GET").answer();
  EXPECT_EQ(m.status, 405);
  EXPECT_EQ(*m.header("Allow"), "POST");
}

TEST(NativeHttp, AsksForCredentials) {
  Message m = Request(kGood, "", false).answer();
  EXPECT_EQ(m.status, 401);
  EXPECT_EQ(*m.header("WWW-Authenticate"), "Basic realm=\"checkrelay\"");
  EXPECT_EQ(m.body, R"({"error":"no such user"})");
}

TEST(NativeHttp, AMillionEmptyObjectsStayBounded) {
  std::string body = "[";
  for (int i = 0; i < 300'000; ++i) body += "{},";
  Request r(body + "{}]");
  EXPECT_EQ(r.actions.refused.size(), 100'001U);
  EXPECT_NE(r.actions.refused.back().what.find("the rest was not read"), std::string::npos);
}

TEST(NativeHttp, RequestsOnOneConnectionAreAnsweredInOrder) {
  Request r(kGood);
  Actions second;
  r.conversation->receive(Message::request("GET", "/v1/results"), {}, second);
  EXPECT_TRUE(second.send.empty());
  Actions after;
  std::vector<Outcome> outcomes{good("a")};
  r.conversation->settle(r.actions.submit.at(0).ticket, outcomes, {}, after);
  ASSERT_EQ(after.send.size(), 2U);
  EXPECT_EQ(after.send[0].status, 200);
  EXPECT_EQ(after.send[1].status, 405);
}

}  // namespace
}  // namespace checkrelay
