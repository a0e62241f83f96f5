#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "plugins/transports/byte_stream.h"
#include "plugins/transports/exchange.h"
#include "world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

// Both kinds of stream socket must behave the same.
class Streams : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    world.options.set("path", world.file("s"));
    world.options.set("listen", std::string("127.0.0.1:0"));
  }
  World world;
};

INSTANTIATE_TEST_SUITE_P(Kinds, Streams, testing::Values("unix", "tcp"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(Streams, ReplyComesOnlyAfterTheResultIsSettled) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\n");
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.settle_down();
  EXPECT_EQ(client->received, "");
  world.receiver.settle_all();
  ASSERT_TRUE(world.until([&] { return client->lines() == 1; }));
  EXPECT_EQ(client->received, "ok one\n");
}

TEST_P(Streams, EveryOwedReplyComesAfterThePeerShutItsSide) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\ntwo\nthree");
  client->shut_down();
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 3; }));
  world.settle_down();
  EXPECT_FALSE(client->over());
  world.receiver.settle_all();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "ok one\nok two\nok three\n");
  EXPECT_FALSE(client->broken);
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_P(Streams, OneTurnReadsABoundedNumberOfBytesHoweverManySend) {
  constexpr std::size_t kClients = 40, kLine = 512, kLines = 32;
  world.open(GetParam());
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(world.client());
    clients.back()->send("hello\n");
  }
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == kClients; }));
  world.settle_down();
  const std::string line = std::string(kLine - 1, 'x') + "\n";
  std::string lines;
  for (std::size_t i = 0; i < kLines; ++i) lines += line;
  for (const auto& client : clients) client->send(lines);
  const std::size_t all = kClients * (1 + kLines);
  static_assert(kClients * kLine * kLines > 2 * Loop::kBytesATurn);
  std::size_t most = 0;
  ASSERT_TRUE(world.until([&] {
    const std::size_t before = world.receiver.results.size();
    world.turn();
    most = std::max(most, world.receiver.results.size() - before);
    return world.receiver.results.size() == all;
  }));
  EXPECT_LE(most * kLine, Loop::kBytesATurn + ByteStream::kReadChunk);
}

TEST_P(Streams, NothingIsReadWhileTooMuchIsUnsettled) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto client = world.client();
  std::string lines;
  const std::size_t total = 100'000;
  for (std::size_t i = 0; i < total; ++i) lines += "x\n";
  client->send(lines);
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() >= Exchange::kMaxResults; }));
  world.settle_down();
  const std::size_t stopped_at = world.receiver.results.size();
  EXPECT_LE(stopped_at, Exchange::kMaxResults + 32 * 1024 + 1);  // one read more at most
  world.settle_down();
  EXPECT_EQ(world.receiver.results.size(), stopped_at);
  EXPECT_LT(stopped_at, total);
  world.receiver.settles_at_once = true;
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] { return client->lines() == total; }));
  EXPECT_EQ(world.receiver.results.size(), total);
}

TEST_P(Streams, RefusalsBehindAnUnsettledResultAreBounded) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto client = world.client();
  std::string lines = "x\n";
  const std::size_t total = 200'000;
  for (std::size_t i = 0; i < total; ++i) lines += "bad\n";
  client->send(lines + "y\n");
  ASSERT_TRUE(world.until([&] { return world.receiver.refusals.size() >= Exchange::kMaxResults; }));
  world.settle_down();
  EXPECT_LE(world.receiver.refusals.size(), Exchange::kMaxResults + 16 * 1024);  // one read more
  world.receiver.settles_at_once = true;
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] { return world.receiver.results.size() == 2; }));
  EXPECT_EQ(world.receiver.refusals.size(), total);
}

TEST_P(Streams, SlowReaderIsNotReadFrom) {
  world.open(GetParam());
  const auto client = world.client();
  client->read(false);
  const std::size_t total = 1000;
  const std::string blanks(4000, ' ');
  for (std::size_t i = 0; i < total; ++i) client->send("big 65536" + blanks + "\nx\n");
  world.settle_down();
  EXPECT_GT(world.receiver.results.size(), 0U);
  EXPECT_LT(world.receiver.results.size(), total / 2);
  client->read(true);
  EXPECT_TRUE(world.until([&] { return client->received.size() == total * (65'537 + 5); }));
}

TEST_P(Streams, HalfALineThenSilenceIsEndedAndNoResult) {
  world.limits.set("idle_timeout", Duration(30ms));
  world.open(GetParam());
  const auto client = world.client();
  client->send("whole\nhal");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(world.receiver.results, std::vector<std::string>{"whole"});
  EXPECT_NE(client->received.find("\"ok\":false"), std::string::npos);
  EXPECT_FALSE(client->broken);
}

TEST_P(Streams, SilentPeerIsEnded) {
  world.limits.set("idle_timeout", Duration(30ms));
  world.open(GetParam());
  const auto client = world.client();
  EXPECT_TRUE(world.until([&] { return client->over(); }));
  client->close();
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_P(Streams, WaitingForTheJournalIsNoSilence) {
  world.limits.set("idle_timeout", Duration(20ms));
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\n");
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  bool later = false;
  Timer timer(world.loop, [&] { later = true; });
  timer.at(world.loop.now().steady + 100ms);
  ASSERT_TRUE(world.until([&] { return later; }));
  EXPECT_FALSE(client->over());
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] { return client->received.starts_with("ok one\n"); }));
}

TEST_P(Streams, OverlongLineIsToldBeforeTheConnectionEnds) {
  world.limits.set("max_result", 100LL);
  world.open(GetParam());
  const auto client = world.client();
  client->send("fine\n");
  ASSERT_TRUE(world.until([&] { return client->lines() == 1; }));
  client->send(std::string(1'000'000, 'x'));
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "ok fine\ntoo long\n");
  EXPECT_EQ(world.receiver.refusals, std::vector<std::string>{"too long"});
  EXPECT_FALSE(client->broken);
}

TEST_P(Streams, NewestBeyondTheLimitIsToldSo) {
  world.limits.set("max_connections", 3LL);
  world.open(GetParam());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(world.client());
    clients.back()->send("x" + std::to_string(i) + "\n");
    ASSERT_TRUE(world.until([&] { return clients.back()->lines() == 1; }));
  }
  EXPECT_EQ(clients[2]->received, "ok x2\n");
  EXPECT_NE(clients[3]->received.find("too many connections (3)"), std::string::npos);
  EXPECT_TRUE(world.until([&] { return clients[3]->over(); }));
  clients[0].reset();
  clients[3].reset();
  world.settle_down();
  const auto next = world.client();
  next->send("again\n");
  EXPECT_TRUE(world.until([&] { return next->received == "ok again\n"; }));
}

TEST_P(Streams, PeerThatIsNotAdmittedHearsWhy) {
  world.receiver.no = "not today";
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "{\"ok\":false,\"error\":\"not today\"}\n");
}

TEST_P(Streams, ThousandsOfAbortedConnectionsLeaveNothing) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  for (int i = 0; i < 3000; ++i) {
    auto client = world.client();
    client->send(i % 3 == 0 ? "whole\n" : "hal");
    if (i % 5 == 0) world.turn();
    client->close(i % 2 == 0);
    if (i % 7 == 0) world.receiver.settle_all();
    world.turn();
  }
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] {
    world.receiver.settle_all();
    return world.door->idle();
  }));
}

TEST_P(Streams, StopStillGivesTheRepliesThatAreOwed) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto busy = world.client();
  const auto resting = world.client();
  busy->send("one\n");
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.door->stop();
  EXPECT_TRUE(world.until([&] { return resting->over(); }));
  EXPECT_FALSE(world.door->idle());
  busy->send("two\n");
  world.settle_down();
  EXPECT_EQ(world.receiver.results.size(), 1U);
  world.receiver.settle_all();
  ASSERT_TRUE(world.until([&] { return busy->over(); }));
  EXPECT_EQ(busy->received, "ok one\n");
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_P(Streams, StopAwaitsTheRestOfALine) {
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\ntw");
  ASSERT_TRUE(world.until([&] { return client->received == "ok one\n"; }));
  world.door->stop();
  world.settle_down();
  EXPECT_FALSE(client->over());
  client->send("o\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "ok one\nok two\n");
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_P(Streams, StopDoesNotAwaitTheRestOfALineForLong) {
  world.limits.set("idle_timeout", Duration(500ms));  // the grace is no longer
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\ntw");
  ASSERT_TRUE(world.until([&] { return client->received == "ok one\n"; }));
  world.door->stop();
  EXPECT_TRUE(world.until([&] {
    client->send("x");  // never idle
    return client->over() && world.door->idle();
  }));
  EXPECT_EQ(world.receiver.results.size(), 1U);
}

TEST_P(Streams, ManyClientsAreServedSideBySide) {
  world.open(GetParam());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(world.client());
    clients.back()->send("a\nb\n");
  }
  EXPECT_TRUE(world.until([&] {
    return std::all_of(clients.begin(), clients.end(),
                       [](const auto& c) { return c->received == "ok a\nok b\n"; });
  }));
}

}  // namespace
}  // namespace checkrelay
