#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

const std::string kGet = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(const std::string& body, const std::string& headers = "",
                 const std::string& target = "/") {
  return "POST " + target +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos;
       at = text.find(piece, at + piece.size()))
    ++found;
  return found;
}

class HttpDoorTest : public testing::Test {
 protected:
  void SetUp() override { world.options.set("listen", std::string("127.0.0.1:0")); }
  std::unique_ptr<Client> open() {
    world.open("http");
    return world.client();
  }
  [[nodiscard]] bool answered(const Client& client, std::size_t times = 1) {
    return world.until([&] { return count(client.received, "HTTP/1.1 2") == times; });
  }
  World world;
};

TEST_F(HttpDoorTest, AnswerComesOnlyAfterTheResultIsSettled) {
  world.receiver.settles_at_once = false;
  const auto client = open();
  client->send(post("one"));
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.settle_down();
  EXPECT_EQ(client->received, "");
  world.receiver.settle_all();
  ASSERT_TRUE(answered(*client));
  EXPECT_TRUE(client->received.ends_with("\r\n\r\none"));
  EXPECT_NE(client->received.find("\r\nDate: "), std::string::npos);
  EXPECT_NE(client->received.find("\r\nContent-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(world.receiver.contexts.at(0).framing, Framing::http);
  EXPECT_TRUE(world.receiver.peers.at(0).http);
}

TEST_F(HttpDoorTest, PipelinedRequestsAreAnsweredOneAfterAnother) {
  world.receiver.settles_at_once = false;
  const auto client = open();
  client->send(post("a") + post("b") + kGet + post("c"));
  for (const char* expected : {"a", "b", "c"}) {
    ASSERT_TRUE(world.until([&] { return !world.receiver.waiting.empty(); }));
    EXPECT_EQ(world.receiver.results.back(), expected);
    EXPECT_EQ(world.receiver.waiting.size(), 1U);
    world.receiver.settle_all();
  }
  ASSERT_TRUE(answered(*client, 4));
  const std::string& all = client->received;
  EXPECT_LT(all.find("\r\n\r\na"), all.find("\r\n\r\nb"));
  EXPECT_LT(all.find("\r\n\r\nb"), all.find("\r\n\r\nGET "));
  EXPECT_LT(all.find("\r\n\r\nGET "), all.find("\r\n\r\nc"));
}

TEST_F(HttpDoorTest, ManyPipelinedRequestsAreAllAnswered) {
  const auto client = open();
  std::string many;
  for (int i = 0; i < 5000; ++i) many += kGet;
  client->send(many);
  client->shut_down();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(count(client->received, "HTTP/1.1 200 OK"), 5000U);
}

TEST_F(HttpDoorTest, RequestMayComeByteByByte) {
  const auto client = open();
  for (char c : post("hello", "Expect: 100-continue\r\n", "/now")) {
    client->send({&c, 1});
    world.turn();
  }
  ASSERT_TRUE(answered(*client));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(client->received.ends_with("POST hello"));
}

TEST_F(HttpDoorTest, ContinueIsNotSaidToWhoDoesNotWait) {
  const auto client = open();
  client->send(post("hello", "Expect: 100-continue\r\n", "/now"));
  ASSERT_TRUE(answered(*client));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpDoorTest, PeerThatShutItsSideStillGetsItsAnswer) {
  world.receiver.settles_at_once = false;
  const auto client = open();
  client->send(post("one"));
  client->shut_down();
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.settle_down();
  world.receiver.settle_all();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.ends_with("one"));
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_F(HttpDoorTest, ThousandsOfAbortedConnectionsLeaveNothing) {
  world.receiver.settles_at_once = false;
  world.open("http");
  const std::string whole = post("one");
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto client = world.client();
    client->send(whole.substr(0, i % 2 == 0 ? whole.size() : i % whole.size()));
    if (i % 3 == 0) world.turn();
    client->close(i % 4 != 0);
    world.turn();
    if (i % 11 == 0) world.receiver.settle_all();
  }
  EXPECT_TRUE(world.until([&] {
    world.receiver.settle_all();
    return world.door->idle();
  }));
}

TEST_F(HttpDoorTest, AnswerToAnOverlongBodyArrivesThoughTheBodyIsStillSent) {
  world.limits.set("max_body", 1000LL);
  const auto client = open();
  client->send(post(std::string(2'000'000, 'x')));
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 413 "));
  EXPECT_NE(client->received.find("Connection: close"), std::string::npos);
  EXPECT_FALSE(client->broken);
  EXPECT_EQ(world.receiver.refusals.size(), 1U);
}

TEST_F(HttpDoorTest, FaultEndsTheConnectionSoThatNothingIsSmuggled) {
  const auto client = open();
  client->send(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n" +
      post("smuggled"));
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(count(client->received, "HTTP/1.1"), 1U);
  EXPECT_TRUE(world.receiver.results.empty());
}

TEST_F(HttpDoorTest, SlowBodyIs408) {
  world.options.set("body_timeout", Duration(40ms));
  const auto client = open();
  client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
  bool over = false;
  Timer drip(world.loop, [&] {
    if (!over) client->send("x");
    drip.at(world.loop.now().steady + 5ms);
  });
  drip.at(world.loop.now().steady);
  ASSERT_TRUE(world.until([&] { return over = client->received.starts_with("HTTP/1.1 408 "); }));
}

TEST_F(HttpDoorTest, SlowHeadIs408) {
  world.options.set("header_timeout", Duration(30ms));
  const auto client = open();
  client->send("GET / HTT");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 408 "));
}

TEST_F(HttpDoorTest, RestingConnectionEndsWithoutAWord) {
  world.options.set("idle_timeout", Duration(30ms));
  const auto client = open();
  client->send(kGet);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(count(client->received, "HTTP/1.1"), 1U);
}

TEST_F(HttpDoorTest, RequestThatEndsEarlyIs400) {
  const auto client = open();
  client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
  client->shut_down();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(world.receiver.results.empty());
}

TEST_F(HttpDoorTest, PipelinedRequestThatEndsEarlyIs400AfterTheAnswerBefore) {
  world.receiver.settles_at_once = false;
  const auto client = open();
  client->send(post("one") + "POST / HTTP/1.1\r\n");
  client->shut_down();
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.settle_down();
  world.receiver.settle_all();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_LT(client->received.find("HTTP/1.1 200 "), client->received.find("HTTP/1.1 400 "));
  EXPECT_EQ(count(client->received, "HTTP/1.1 "), 2U);
}

TEST_F(HttpDoorTest, HeadGetsNoBody) {
  const auto client = open();
  client->send("HEAD /now HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  ASSERT_TRUE(answered(*client, 2));
  EXPECT_EQ(count(client->received, "\r\n\r\nHTTP/1.1 200"), 1U);
}

TEST_F(HttpDoorTest, CloseIsHonoured) {
  const auto client = open();
  client->send("GET /now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_NE(client->received.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(HttpDoorTest, Http10ClosesUnlessAskedOtherwise) {
  const auto client = open();
  client->send("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(answered(*client));
  EXPECT_NE(client->received.find("Connection: keep-alive\r\n"), std::string::npos);
  client->send("GET /now HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(count(client->received, "HTTP/1.1 200"), 2U);
}

TEST_F(HttpDoorTest, ConversationMayClose) {
  const auto client = open();
  client->send("GET /close HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(count(client->received, "HTTP/1.1"), 1U);
  EXPECT_NE(client->received.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(HttpDoorTest, InquiryCarriesTheRequestAndItsAnswerComesBack) {
  const auto client = open();
  client->send(post("what", "", "/operator"));
  ASSERT_TRUE(answered(*client));
  EXPECT_TRUE(client->received.ends_with("operator what"));
}

TEST_F(HttpDoorTest, CredentialsReachTheConversation) {
  const auto client = open();
  client->send(post("x", "Authorization: Basic dTpw\r\n", "/now"));
  ASSERT_TRUE(answered(*client));
  const Message& request = world.receiver.requests.at(0);
  ASSERT_TRUE(request.credentials);
  EXPECT_EQ(request.credentials->user, "u");
  EXPECT_EQ(request.credentials->secret.reveal(), "p");
}

TEST_F(HttpDoorTest, PeerThatIsNotAdmittedGets403) {
  world.receiver.no = "not today";
  const auto client = open();
  client->send(kGet);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 403 "));
  EXPECT_NE(client->received.find("not today"), std::string::npos);
}

TEST_F(HttpDoorTest, NewestBeyondTheLimitGets503) {
  world.limits.set("max_connections", 1LL);
  const auto first = open();
  first->send(kGet);
  ASSERT_TRUE(answered(*first));
  const auto second = world.client();
  ASSERT_TRUE(world.until([&] { return second->over(); }));
  EXPECT_TRUE(second->received.starts_with("HTTP/1.1 503 "));
}

TEST_F(HttpDoorTest, StopAnswersWhatIsOpenAndCloses) {
  world.receiver.settles_at_once = false;
  const auto client = open();
  client->send(post("one"));
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.door->stop();
  EXPECT_FALSE(world.door->idle());
  world.receiver.settle_all();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_NE(client->received.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(client->received.ends_with("one"));
}

TEST_F(HttpDoorTest, StopAwaitsTheRestOfARequest) {
  const std::string request = post("one");
  for (const std::size_t cut : {std::size_t{1}, request.size() / 2, request.size() - 1}) {
    const auto client = open();
    const auto resting = world.client();
    client->send(request.substr(0, cut));
    world.settle_down();
    world.door->stop();
    EXPECT_TRUE(world.until([&] { return resting->over(); }));
    EXPECT_FALSE(client->over()) << cut;
    client->send(request.substr(cut));
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->received.ends_with("one")) << cut << client->received;
    EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
    world.door.reset();
  }
}

TEST_F(HttpDoorTest, BodiesOfAllConnectionsTogetherAreBounded) {
  world.open("http");
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(world.client());
    clients.back()->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n\r\n" +
                         std::string(15'000'000, 'x'));
  }
  EXPECT_TRUE(world.until([&] {
    return std::any_of(clients.begin(), clients.end(),
                       [](const auto& c) { return c->received.starts_with("HTTP/1.1 503 "); });
  }));
}

TEST_F(HttpDoorTest, CongestionHoldsRequestsBack) {
  world.receiver.is_congested = true;
  const auto client = open();
  client->send(post("one"));
  world.settle_down();
  EXPECT_TRUE(world.receiver.results.empty());
  world.receiver.is_congested = false;
  world.door->drained();
  EXPECT_TRUE(answered(*client));
}

// A real client, where there is one: it asks for 100-continue and reuses its connection.
TEST_F(HttpDoorTest, CurlSendsAMegabyteAndReusesItsConnection) {
  world.open("http");
  const std::string url = "http://" + world.door->where() + "/now";
  const std::string body = world.file("body");
  const std::string command =
      "head -c 3000000 /dev/zero > " + body +
      " && curl -sS -o /dev/null -o /dev/null -w '%{http_code}%{num_connects} ' "
      "--data-binary @" +
      body + " " + url + " " + url + " > " + world.file("out") + " 2>&1; touch " +
      world.file("done");
  ASSERT_EQ(std::system(("( " + command + " ) &").c_str()), 0);
  Timer poke(world.loop, [&] { poke.at(world.loop.now().steady + 5ms); });
  poke.at(world.loop.now().steady);
  ASSERT_TRUE(world.until([&] { return world.receiver.requests.size() == 2; }));
  EXPECT_EQ(world.receiver.requests[0].body.size(), 3'000'000U);
  EXPECT_EQ(world.receiver.peers.size(), 1U);
}

}  // namespace
}  // namespace checkrelay
