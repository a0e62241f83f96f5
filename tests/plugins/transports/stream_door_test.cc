#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "agent/port/registry.h"
#include "plugins/transports/exchange.h"
#include "plugins/transports/inbound.h"
#include "plugins/transports/peer_filter.h"
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

TEST_P(Streams, PeerMayLeaveBeforeItsResultIsSettled) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  {
    const auto client = world.client();
    client->send("one\ntwo\n");
    ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 2; }));
    client->close(true);
  }
  world.settle_down();
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_P(Streams, DoorMayGoBeforeAResultIsSettled) {
  world.receiver.settles_at_once = false;
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\n");
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  world.door.reset();
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] { return client->over(); }));
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

TEST_P(Streams, CongestionStopsReadingUntilDrained) {
  world.receiver.is_congested = true;
  world.open(GetParam());
  const auto client = world.client();
  client->send("one\n");
  world.settle_down();
  EXPECT_TRUE(world.receiver.results.empty());
  world.receiver.is_congested = false;
  world.door->drained();
  EXPECT_TRUE(world.until([&] { return client->received == "ok one\n"; }));
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

TEST_P(Streams, BytesMayComeOneByOne) {
  world.open(GetParam());
  const auto client = world.client();
  for (char c : std::string("one\ntwo\n")) {
    client->send({&c, 1});
    world.turn();
  }
  EXPECT_TRUE(world.until([&] { return client->received == "ok one\nok two\n"; }));
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

class UnixDoor : public testing::Test {
 protected:
  void SetUp() override { world.options.set("path", path); }
  World world;
  std::string path = world.file("s");
};

TEST_F(UnixDoor, TellsThePeersCredentials) {
  world.open("unix");
  const auto client = world.client();
  client->send("x\n");
  ASSERT_TRUE(world.until([&] { return client->lines() == 1; }));
  const Peer& peer = world.receiver.submitters.at(0);
  EXPECT_EQ(peer.uid, std::optional<std::uint32_t>(getuid()));
  EXPECT_EQ(peer.gid, std::optional<std::uint32_t>(getgid()));
  EXPECT_EQ(peer.where, "uid=" + std::to_string(getuid()) + " pid=" + std::to_string(getpid()));
  EXPECT_TRUE(peer.local);
  EXPECT_FALSE(peer.http);
  EXPECT_EQ(world.receiver.contexts.at(0).framing, Framing::stream);
}

TEST_F(UnixDoor, SpeaksHttpWhereAMethodComesFirst) {
  world.open("unix");
  const auto client = world.client();
  for (const char* piece :
       {"P", "OST", " /now HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"}) {
    client->send(piece);
    world.settle_down();
  }
  ASSERT_TRUE(world.until([&] { return client->received.ends_with("POST hi"); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(world.receiver.peers.at(0).http);
  EXPECT_EQ(world.receiver.contexts.at(0).framing, Framing::http);
}

TEST_F(UnixDoor, LineThatBeginsLikeAMethodIsALine) {
  world.open("unix");
  const auto client = world.client();
  client->send("PO");
  world.settle_down();
  client->send("STBOX\n");
  EXPECT_TRUE(world.until([&] { return client->received == "ok POSTBOX\n"; }));
}

TEST_F(UnixDoor, EndWhileUndecidedIsAStream) {
  world.open("unix");
  const auto client = world.client();
  client->send("GET");
  client->shut_down();
  EXPECT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "ok GET\n");
}

TEST_F(UnixDoor, UserOutsideTheListIsRefusedInALine) {
  world.options.set("allow_users", std::vector<std::string>{std::to_string(getuid() + 4242)});
  world.open("unix");
  const auto client = world.client();
  client->send("x\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "{\"ok\":false,\"error\":\"user " + std::to_string(getuid()) +
                                  " is not admitted here\"}\n");
  EXPECT_TRUE(world.receiver.results.empty());
  EXPECT_TRUE(world.receiver.peers.empty());
}

TEST_F(UnixDoor, RefusalComesToASilentPeerToo) {
  world.options.set("allow_users", std::vector<std::string>{std::to_string(getuid() + 4242)});
  world.open("unix");
  const auto client = world.client();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_NE(client->received.find("not admitted"), std::string::npos);
}

TEST_F(UnixDoor, RefusalOverHttpIs403) {
  world.options.set("allow_users", std::vector<std::string>{std::to_string(getuid() + 4242)});
  world.open("unix");
  const auto client = world.client();
  client->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(world.receiver.requests.empty());
}

TEST_F(UnixDoor, ListedUserComesIn) {
  world.options.set("allow_users", std::vector<std::string>{std::to_string(getuid()), "4242424"});
  world.open("unix");
  const auto client = world.client();
  client->send("x\n");
  EXPECT_TRUE(world.until([&] { return client->received == "ok x\n"; }));
}

TEST_F(UnixDoor, MemberOfAListedGroupComesIn) {
  world.options.set("allow_groups", std::vector<std::string>{std::to_string(getgid())});
  world.open("unix");
  const auto client = world.client();
  client->send("x\n");
  EXPECT_TRUE(world.until([&] { return client->received == "ok x\n"; }));
}

TEST_F(UnixDoor, UnknownUserIsAClearError) {
  world.options.set("allow_users", std::vector<std::string>{"no-such-user-here"});
  const auto opened = world.try_open("unix");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().what, "allow_users: there is no user \"no-such-user-here\"");
}

TEST_F(UnixDoor, FileHasTheConfiguredModeAndGroup) {
  world.options.set("mode", 0620LL);
  world.options.set("group", std::to_string(getgid()));
  world.open("unix");
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0620U);
  EXPECT_EQ(found.st_gid, getgid());
}

TEST_F(UnixDoor, FileGoesWithTheDoor) {
  world.open("unix");
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  world.door->stop();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_F(UnixDoor, FileOfASuccessorIsLeftAlone) {
  world.open("unix");
  ASSERT_EQ(unlink(path.c_str()), 0);
  auto successor = world.try_open("unix");
  ASSERT_TRUE(successor) << successor.error().what;
  world.door.reset();
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST_F(UnixDoor, StaleFileIsReplaced) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  world.open("unix");
  const auto client = world.client();
  client->send("x\n");
  EXPECT_TRUE(world.until([&] { return client->received == "ok x\n"; }));
}

TEST_F(UnixDoor, SocketThatIsServedIsNotTakenOver) {
  world.open("unix");
  const auto second = world.try_open("unix");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("another process listens there"), std::string::npos);
  const auto datagrams = world.try_open("unixgram");
  EXPECT_FALSE(datagrams);
}

TEST_F(UnixDoor, OtherFileIsNotRemoved) {
  std::ofstream(path) << "precious";
  const auto opened = world.try_open("unix");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("is no socket"), std::string::npos);
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST_F(UnixDoor, OverlongPathIsRefusedNotCut) {
  world.options.set("path", "/tmp/" + std::string(200, 'x'));
  const auto opened = world.try_open("unix");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("107"), std::string::npos);
}

TEST_F(UnixDoor, OnlyTheLastDirectoryIsMade) {
  world.options.set("path", world.file("new/s"));
  world.open("unix");
  world.options.set("path", world.file("a/b/s"));
  const auto opened = world.try_open("unix");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("a/b"), std::string::npos);
}

TEST(TcpDoor, NeverSpeaksHttp) {
  World world;
  world.options.set("listen", std::string("127.0.0.1:0"));
  world.open("tcp");
  const auto client = world.client();
  client->send("GET / HTTP/1.1\n");
  EXPECT_TRUE(world.until([&] { return client->received == "ok GET / HTTP/1.1\n"; }));
  EXPECT_TRUE(world.receiver.peers.at(0).local);
  EXPECT_TRUE(world.receiver.peers.at(0).where.starts_with("127.0.0.1:"));
}

TEST(TcpDoor, TakenAddressIsAClearError) {
  World world;
  world.options.set("listen", std::string("127.0.0.1:0"));
  world.open("tcp");
  world.options.set("listen", world.door->where());
  const auto second = world.try_open("tcp");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("already in use"), std::string::npos);
}

TEST(TcpDoor, WhatIsNoAddressIsRefused) {
  World world;
  for (const char* bad : {"", "8440", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80x",
                          "[::1:80", "example.com:80", "127.0.0.1:-1"}) {
    world.options.set("listen", std::string(bad));
    EXPECT_FALSE(world.try_open("tcp")) << bad;
  }
}

TEST(TcpDoor, ListensOnEveryAddressWithoutOne) {
  World world;
  world.options.set("listen", std::string(":0"));
  world.open("tcp");
  const auto client = world.tcp_client();
  client->send("x\n");
  EXPECT_TRUE(world.until([&] { return client->received == "ok x\n"; }));
}

TEST(PeerFilter, AdmitsByListedGroupOfThePeersUser) {
  auto filter = PeerFilter::make({}, {"0"});
  ASSERT_TRUE(filter);
  EXPECT_TRUE(filter->admits(0, {}, Steady{}));  // root's group, by the user database
  EXPECT_TRUE(filter->admits(4242, {7, 0}, Steady{}));
  EXPECT_FALSE(filter->admits(4242, {7}, Steady{}));
}

TEST(SocketIntakes, AreFiveKindsWithDistinctNames) {
  std::set<std::string_view> names;
  for (const IntakeKind& kind : socket_intakes()) {
    names.insert(kind.name);
    EXPECT_FALSE(kind.summary.empty());
    EXPECT_FALSE(kind.options.empty());
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"unix", "unixgram", "tcp", "fifo", "http"}));
}

}  // namespace
}  // namespace checkrelay
