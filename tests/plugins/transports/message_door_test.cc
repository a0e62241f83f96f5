#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "plugins/transports/exchange.h"
#include "world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

class DatagramDoorTest : public testing::Test {
 protected:
  void SetUp() override {
    path = world.file("d");
    world.options.set("path", path);
  }
  void TearDown() override {
    if (fd >= 0) ::close(fd);
  }
  void open() {
    world.open("unixgram");
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int large = 1 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  bool send(const std::string& datagram) {
    return ::send(fd, datagram.data(), datagram.size(), 0) >= 0;
  }
  World world;
  std::string path;
  int fd = -1;
};

TEST_F(DatagramDoorTest, EachDatagramIsAMessageOfAKnownSender) {
  open();
  ASSERT_TRUE(send("one"));
  ASSERT_TRUE(send("two\nlines"));
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 2; }));
  EXPECT_EQ(world.receiver.results, (std::vector<std::string>{"one", "two\nlines"}));
  EXPECT_EQ(world.receiver.submitters[0].uid, std::optional<std::uint32_t>(getuid()));
  EXPECT_EQ(world.receiver.contexts.at(0).framing, Framing::datagram);
}

TEST_F(DatagramDoorTest, OverlongDatagramIsRefusedAndTheNextTaken) {
  world.limits.set("max_result", 1000LL);
  open();
  ASSERT_TRUE(send(std::string(5000, 'x')));
  ASSERT_TRUE(send("fine"));
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
  ASSERT_EQ(world.receiver.refusals.size(), 1U);
  EXPECT_NE(world.receiver.refusals[0].find("5000 bytes"), std::string::npos);
}

TEST_F(DatagramDoorTest, EmptyDatagramDoesNoHarm) {
  open();
  ASSERT_TRUE(send(""));
  ASSERT_TRUE(send("fine"));
  ASSERT_TRUE(world.until(
      [&] { return !world.receiver.results.empty() && world.receiver.results.back() == "fine"; }));
}

TEST_F(DatagramDoorTest, CongestionMakesSendersWait) {
  world.receiver.is_congested = true;
  open();
  std::size_t sent = 0;
  while (send("x")) ++sent;
  EXPECT_EQ(errno, EAGAIN);
  world.settle_down();
  EXPECT_TRUE(world.receiver.results.empty());
  world.receiver.is_congested = false;
  world.door->drained();
  EXPECT_TRUE(world.until([&] { return world.receiver.results.size() == sent; }));
}

TEST_F(DatagramDoorTest, NothingIsReadWhileTooMuchIsUnsettled) {
  world.receiver.settles_at_once = false;
  open();
  for (int i = 0; i < 2000 && world.receiver.results.size() < Exchange::kMaxResults; ++i) {
    while (send("x")) {
    }
    world.turn();
  }
  while (send("x")) {
  }
  world.settle_down();
  const std::size_t stopped_at = world.receiver.results.size();
  EXPECT_LE(stopped_at, Exchange::kMaxResults + 16);
  EXPECT_FALSE(world.door->idle());
  world.receiver.settles_at_once = true;
  world.receiver.settle_all();
  EXPECT_TRUE(world.until([&] { return world.receiver.results.size() > stopped_at; }));
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_F(DatagramDoorTest, StopTakesWhatTheKernelStillHolds) {
  open();
  std::size_t sent = 0;
  while (send("x")) ++sent;
  world.door->stop();
  EXPECT_EQ(world.receiver.results.size(), sent);
  EXPECT_FALSE(send("late"));
}

TEST_F(DatagramDoorTest, ManyDatagramsAreAllTaken) {
  open();
  std::size_t sent = 0;
  ASSERT_TRUE(world.until([&] {
    while (sent < 20'000 && send("x")) ++sent;
    return world.receiver.results.size() == 20'000;
  }));
}

class FifoDoorTest : public testing::Test {
 protected:
  void SetUp() override {
    path = world.file("f");
    world.options.set("path", path);
  }
  void TearDown() override {
    if (fd >= 0) ::close(fd);
  }
  void writer() {
    if (fd >= 0) ::close(fd);
    fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(fd, 0);
  }
  bool write(const std::string& text) {
    return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  World world;
  std::string path;
  int fd = -1;
};

TEST_F(FifoDoorTest, IsMadeWithItsModeAndReadLineByLine) {
  world.options.set("mode", 0622LL);
  world.open("fifo");
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_TRUE(S_ISFIFO(found.st_mode));
  EXPECT_EQ(found.st_mode & 07777U, 0622U);
  writer();
  ASSERT_TRUE(write("one\ntwo\n"));
  ASSERT_TRUE(world.until([&] { return world.receiver.results.size() == 2; }));
  EXPECT_EQ(world.receiver.contexts.at(0).framing, Framing::lines);
}

TEST_F(FifoDoorTest, GoesOnAfterItsWritersLeft) {
  world.open("fifo");
  for (const char* line : {"one\n", "two\n", "three\n"}) {
    writer();
    ASSERT_TRUE(write(line));
    ::close(std::exchange(fd, -1));
    world.settle_down();
  }
  EXPECT_TRUE(world.until([&] { return world.receiver.results.size() == 3; }));
  EXPECT_EQ(world.receiver.peers.size(), 1U);
}

TEST_F(FifoDoorTest, OneThatIsThereIsUsedAsItIs) {
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  world.open("fifo");
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0600U);
}

TEST_F(FifoDoorTest, OtherFileIsRefused) {
  std::ofstream(path) << "precious";
  const auto opened = world.try_open("fifo");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("is no FIFO"), std::string::npos);
}

TEST_F(FifoDoorTest, LinkToAFifoIsRefused) {
  ASSERT_EQ(mkfifo(world.file("real").c_str(), 0600), 0);
  ASSERT_EQ(symlink(world.file("real").c_str(), path.c_str()), 0);
  EXPECT_FALSE(world.try_open("fifo"));
}

TEST_F(FifoDoorTest, ConversationThatClosedIsFollowedByAnother) {
  world.limits.set("max_result", 100LL);
  world.open("fifo");
  writer();
  ASSERT_TRUE(write(std::string(1000, 'x')));
  ASSERT_TRUE(world.until([&] { return world.receiver.refusals.size() == 1; }));
  ASSERT_TRUE(write("fine\n"));
  EXPECT_TRUE(world.until([&] { return world.receiver.results.size() == 1; }));
}

TEST_F(FifoDoorTest, StopTakesWhatIsStillInThePipe) {
  world.receiver.settles_at_once = false;
  world.open("fifo");
  writer();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(write("x\n"));
  world.door->stop();
  EXPECT_EQ(world.receiver.results.size(), 1000U);
  EXPECT_FALSE(world.door->idle());
  world.receiver.settle_all();
  EXPECT_TRUE(world.door->idle());
}

}  // namespace
}  // namespace checkrelay
