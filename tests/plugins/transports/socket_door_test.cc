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
#include "plugins/transports/inbound.h"
#include "plugins/transports/peer_filter.h"
#include "world.h"

namespace checkrelay {
namespace {

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
