// What agent/port/transport.h promises of a Listener, of every door.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/plugins/transports/world.h"

namespace checkrelay {
namespace {

std::string line(const std::string& host) { return host + "\n"; }
std::string datagram(const std::string& host) { return host; }
std::string request(const std::string& host) {
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(host.size()) +
         "\r\n\r\n" + host;
}

struct Way {
  const char* kind;
  std::string (*wire)(const std::string& host);  // one result
  bool connects = false;                         // each peer has a pipe of its own
  bool bytes = false;                            // and not messages
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.kind; }

// A peer: a connection, or a descriptor that is only written to.
class Sender {
 public:
  explicit Sender(std::unique_ptr<Client> client) : client_(std::move(client)) {}
  explicit Sender(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  ~Sender() { leave(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // False where the door takes no more.
  bool send(const std::string& bytes) {
    if (client_) client_->send(bytes);
    return client_ || ::write(fd_, bytes.data(), bytes.size()) == std::ssize(bytes);
  }
  void leave() {
    if (client_) client_->close(true);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] bool heard() const { return client_ && !client_->received.empty(); }

 private:
  std::unique_ptr<Client> client_{};
  int fd_ = -1;
};

int datagram_socket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

class Doors : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    world_.options.set("path", world_.file("door"));
    world_.options.set("listen", std::string("127.0.0.1:0"));
  }
  void open() { world_.open(GetParam().kind); }
  std::unique_ptr<Sender> sender() {
    const std::string kind = GetParam().kind;
    if (GetParam().connects) return std::make_unique<Sender>(world_.client());
    if (kind == "unixgram") return std::make_unique<Sender>(datagram_socket(world_.file("door")));
    return std::make_unique<Sender>(
        ::open(world_.file("door").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  }
  static std::string wire(const std::string& host) { return GetParam().wire(host); }
  [[nodiscard]] bool taken(std::size_t count) {
    return world_.until([&] { return receiver_.results.size() == count; });
  }
  [[nodiscard]] bool idle() {
    return world_.until([&] { return world_.door->idle(); });
  }

  World world_;
  FakeReceiver& receiver_ = world_.receiver;
};

std::string name_of(const testing::TestParamInfo<Way>& info) { return info.param.kind; }

INSTANTIATE_TEST_SUITE_P(Every, Doors,
                         testing::Values(Way{"unix", line, true, true},
                                         Way{"tcp", line, true, true},
                                         Way{"http", request, true, true},
                                         Way{"fifo", line, false, true}, Way{"unixgram", datagram}),
                         name_of);

TEST_P(Doors, ResultsAreSubmittedInTheOrderOfThePeer) {
  open();
  const auto peer = sender();
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back("h" + std::to_string(i));
    while (!peer->send(wire(expected.back()))) world_.turn();
  }
  ASSERT_TRUE(taken(100));
  EXPECT_EQ(receiver_.results, expected);
  peer->leave();
  EXPECT_TRUE(idle());
}

TEST_P(Doors, BytesSplitAtEveryPlaceGiveTheSameResults) {
  if (!GetParam().bytes) GTEST_SKIP() << "a datagram is never split";
  open();
  const std::string both = wire("one") + wire("two");
  for (std::size_t size = 1; size <= both.size(); ++size) {
    receiver_.results.clear();
    const auto peer = sender();
    for (std::size_t at = 0; at < both.size(); at += size) {
      ASSERT_TRUE(peer->send(both.substr(at, size)));
      world_.turn();
    }
    ASSERT_TRUE(taken(2)) << size;
    EXPECT_EQ(receiver_.results, (std::vector<std::string>{"one", "two"})) << size;
  }
}

TEST_P(Doors, CongestionStopsReadingUntilDrained) {
  receiver_.is_congested = true;
  open();
  const auto peer = sender();
  ASSERT_TRUE(peer->send(wire("one")));
  world_.settle_down();
  EXPECT_TRUE(receiver_.results.empty());
  receiver_.is_congested = false;
  world_.door->drained();
  EXPECT_TRUE(taken(1));
}

TEST_P(Doors, CongestionThatBeginsMidwayIsHeeded) {
  open();
  const auto peer = sender();
  ASSERT_TRUE(peer->send(wire("one")));
  ASSERT_TRUE(taken(1));
  world_.settle_down();
  receiver_.is_congested = true;
  world_.door->drained();  // said too early: the receiver itself decides
  ASSERT_TRUE(peer->send(wire("two")));
  world_.settle_down();
  const std::size_t held_at = receiver_.results.size();
  EXPECT_LE(held_at, 2U);  // what was on its way when it began may still come
  ASSERT_TRUE(peer->send(wire("three")));
  world_.settle_down();
  EXPECT_LE(receiver_.results.size(), 2U);
  receiver_.is_congested = false;
  world_.door->drained();
  ASSERT_TRUE(taken(3));
  EXPECT_EQ(receiver_.results, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_P(Doors, IsIdleOnlyWhenEveryResultIsSettled) {
  receiver_.settles_at_once = false;
  open();
  EXPECT_TRUE(world_.door->idle());
  const auto peer = sender();
  ASSERT_TRUE(peer->send(wire("one")));
  ASSERT_TRUE(taken(1));
  world_.settle_down();
  EXPECT_FALSE(world_.door->idle());
  EXPECT_FALSE(peer->heard()) << "answered before it was settled";
  receiver_.settle_all();
  EXPECT_TRUE(!GetParam().connects || world_.until([&] { return peer->heard(); }));
  peer->leave();
  EXPECT_TRUE(idle());
}

TEST_P(Doors, PeerThatLeftBeforeItsResultIsSettledDisturbsNobody) {
  receiver_.settles_at_once = false;
  open();
  const auto leaving = sender();
  const auto staying = sender();
  ASSERT_TRUE(leaving->send(wire("one")));
  ASSERT_TRUE(taken(1));
  leaving->leave();
  world_.settle_down();
  ASSERT_TRUE(staying->send(wire("two")));
  ASSERT_TRUE(taken(2));
  receiver_.settle_all();
  EXPECT_TRUE(!GetParam().connects || world_.until([&] { return staying->heard(); }));
  staying->leave();
  EXPECT_TRUE(idle());
}

TEST_P(Doors, LinkThatDiesMidwayIsNoResultAndDisturbsNobody) {
  if (!GetParam().connects) GTEST_SKIP() << "peers share one pipe";
  if (std::string(GetParam().kind) == "unix")
    GTEST_SKIP() << "a unix socket knows no reset: to the door it is the end of the input";
  open();
  const auto dying = sender();
  const auto staying = sender();
  const std::string half = wire("never");
  ASSERT_TRUE(dying->send(half.substr(0, half.size() - 2)));
  world_.settle_down();
  dying->leave();
  ASSERT_TRUE(staying->send(wire("two")));
  ASSERT_TRUE(taken(1));
  world_.settle_down();
  EXPECT_EQ(receiver_.results, std::vector<std::string>{"two"});
  staying->leave();
  EXPECT_TRUE(idle());
}

TEST_P(Doors, OverlongInputIsToldOrCountedAndTheNextTaken) {
  world_.limits.set("max_result", 100LL);
  open();
  const auto bad = sender();
  ASSERT_TRUE(bad->send(std::string(3000, 'x')));
  ASSERT_TRUE(world_.until([&] { return !receiver_.refusals.empty() || bad->heard(); }));
  const auto good = sender();
  ASSERT_TRUE(good->send(wire("fine")));
  ASSERT_TRUE(taken(1));
  EXPECT_EQ(receiver_.results, std::vector<std::string>{"fine"});
}

TEST_P(Doors, PeerThatIsNotAdmittedSubmitsNothing) {
  receiver_.no = "not today";
  open();
  const auto refused = sender();
  ASSERT_TRUE(refused->send(wire("one")));
  ASSERT_TRUE(world_.until([&] { return !receiver_.peers.empty(); }));
  world_.settle_down();
  EXPECT_TRUE(receiver_.results.empty());
  receiver_.no.clear();
  const auto admitted = sender();
  ASSERT_TRUE(admitted->send(wire("two")));
  ASSERT_TRUE(taken(1));
  EXPECT_EQ(receiver_.results, std::vector<std::string>{"two"});
}

TEST_P(Doors, NothingIsTakenAfterStop) {
  open();
  const auto peer = sender();
  ASSERT_TRUE(peer->send(wire("one")));
  ASSERT_TRUE(taken(1));
  world_.settle_down();
  world_.door->stop();
  const std::size_t peers = receiver_.peers.size();
  peer->send(wire("two"));
  world_.settle_down();
  world_.door->drained();
  world_.door->stop();  // once more does no harm
  world_.settle_down();
  EXPECT_EQ(receiver_.results.size(), 1U);
  EXPECT_EQ(receiver_.peers.size(), peers);
  EXPECT_TRUE(idle());
}

TEST_P(Doors, StopWaitsForWhatIsOwed) {
  receiver_.settles_at_once = false;
  open();
  const auto peer = sender();
  ASSERT_TRUE(peer->send(wire("one")));
  ASSERT_TRUE(taken(1));
  world_.door->stop();
  world_.settle_down();
  EXPECT_FALSE(world_.door->idle());
  receiver_.settle_all();
  EXPECT_TRUE(idle());
  EXPECT_TRUE(!GetParam().connects || world_.until([&] { return peer->heard(); }));
}

TEST_P(Doors, NobodyIsCalledOnceTheDoorIsGone) {
  receiver_.settles_at_once = false;
  open();
  const auto peer = sender();
  ASSERT_TRUE(peer->send(wire("one")));
  ASSERT_TRUE(taken(1));
  world_.door.reset();
  peer->send(wire("two"));
  receiver_.settle_all();  // into the void
  world_.settle_down();
  EXPECT_EQ(receiver_.results.size(), 1U);
  EXPECT_EQ(receiver_.peers.size(), 1U);
  EXPECT_FALSE(peer->heard());
}

}  // namespace
}  // namespace checkrelay
