#include "agent/runtime/systemd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

class Directory {
 public:
  Directory() { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~Directory() {
    for (const char* name : {"s", "d", "f", "notify"}) unlink((path_ + "/" + name).c_str());
    rmdir(path_.c_str());
  }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/checkrelay-systemd-XXXXXX";
};

int bound_unix(int type, const std::string& path) {
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(type != SOCK_STREAM || listen(fd, 1) == 0);
  return fd;
}

// A manager's notification socket; the variable that names it is gone with it.
class Manager {
 public:
  explicit Manager(const std::string& path) : fd_(bound_unix(SOCK_DGRAM, path)) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  std::string heard() const {
    char text[4096];
    const ssize_t n = recv(fd_, text, sizeof text, MSG_DONTWAIT);
    return n < 0 ? "" : std::string(text, static_cast<std::size_t>(n));
  }

 private:
  int fd_;
};

TEST(Notify, TellsStateAndStatus) {
  Directory directory;
  Manager manager(directory.file("notify"));
  notify_ready("2 intakes");
  EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=2 intakes");
  notify_stopping("draining");
  EXPECT_EQ(manager.heard(), "STOPPING=1\nSTATUS=draining");
  notify_watchdog();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
}

TEST(Notify, ReloadingCarriesTheSteadyTime) {
  Directory directory;
  Manager manager(directory.file("notify"));
  notify_reloading(Steady(1234567us));
  EXPECT_EQ(manager.heard(), "RELOADING=1\nMONOTONIC_USEC=1234567");
}

TEST(Notify, StatusCannotSmuggleAnAssignment) {
  Directory directory;
  Manager manager(directory.file("notify"));
  notify_status("bad\nMAINPID=1");
  EXPECT_EQ(manager.heard(), "STATUS=bad MAINPID=1");
}

TEST(Watchdog, IsDueTwiceInTheDemandedTime) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(watchdog_interval(), std::optional<Duration>(15s));
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

TEST(InheritedSockets, UnixSocketsAreFoundByTypeAndPath) {
  Directory directory;
  const int stream = bound_unix(SOCK_STREAM, directory.file("s"));
  const int datagram = bound_unix(SOCK_DGRAM, directory.file("d"));
  const InheritedSockets sockets({{stream, "a"}, {datagram, "b"}});
  const auto found = sockets.unix_socket(SOCK_STREAM, directory.file("s"));
  ASSERT_TRUE(found);
  EXPECT_NE(*found, stream);  // a duplicate, so that it may be closed
  EXPECT_EQ(fcntl(*found, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  close(*found);
  EXPECT_FALSE(sockets.unix_socket(SOCK_STREAM, directory.file("d")));
  EXPECT_FALSE(sockets.unix_socket(SOCK_STREAM, directory.file("other")));
  const auto other = sockets.unix_socket(SOCK_DGRAM, directory.file("d"));
  ASSERT_TRUE(other);
  for (int fd : {*other, stream, datagram}) close(fd);
}

TEST(InheritedSockets, TcpSocketIsFoundByItsWholeAddress) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  const InheritedSockets sockets({{fd, ""}});
  EXPECT_FALSE(sockets.tcp_socket(reinterpret_cast<sockaddr*>(&address), sizeof address));
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto found = sockets.tcp_socket(reinterpret_cast<sockaddr*>(&address), size);
  ASSERT_TRUE(found);
  close(*found);
  address.sin_port = htons(static_cast<std::uint16_t>(ntohs(address.sin_port) ^ 1U));
  EXPECT_FALSE(sockets.tcp_socket(reinterpret_cast<sockaddr*>(&address), size));
  close(fd);
}

TEST(InheritedSockets, FifoIsFoundByPath) {
  Directory directory;
  ASSERT_EQ(mkfifo(directory.file("f").c_str(), 0600), 0);
  const int fd = open(directory.file("f").c_str(), O_RDWR | O_CLOEXEC);
  const InheritedSockets sockets({{fd, ""}});
  const auto found = sockets.fifo(directory.file("f"));
  ASSERT_TRUE(found);
  close(*found);
  close(fd);
}

TEST(InheritedSockets, NoneWithoutAManager) {
  EXPECT_TRUE(InheritedSockets::of_process().all().empty());
}

}  // namespace
}  // namespace checkrelay
