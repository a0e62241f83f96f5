#include "tests/bench/bare_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/give_up.h"
#include "tests/bench/limits.h"

namespace checkrelay::bench {
namespace {

constexpr std::string_view kReply = "{\"ok\":true}\n";

int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up("{}: too long for a socket's path", path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  checked(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), path.c_str());
  checked(listen(fd, 512), "listen");
  return fd;
}

}  // namespace

struct BareServer::Threads {
  explicit Threads(const std::string& directory)
      : path(directory + "/bare"), inserts(directory), listener(listen_at(path)) {
    for (const int fd : {listener, wake}) watch(fd);
    serving = std::thread([this] { serve(); });
    writing = std::thread([this] { write_rows(); });
  }
  ~Threads() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    arrived.notify_one();
    writing.join();
    eventfd_write(wake, 1);
    serving.join();
    for (const int fd : {listener, wake, epoll}) close(fd);
    unlink(path.c_str());
  }

  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void serve() {
    for (;;) {
      epoll_event events[64];
      const int n = checked(epoll_wait(epoll, events, 64, -1), "epoll_wait");
      std::vector<int> lines;  // the connection of each
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == wake && !reply()) return;
        if (fd == listener) watch(checked(accept(listener, nullptr, nullptr), "accept"));
        if (fd != listener && fd != wake) take(fd, lines);
      }
      if (lines.empty()) continue;
      {
        const std::lock_guard lock(mutex);
        waiting.insert(waiting.end(), lines.begin(), lines.end());
      }
      arrived.notify_one();
    }
  }
  // False where the writer has ended.
  bool reply() {
    eventfd_t times = 0;
    eventfd_read(wake, &times);
    std::vector<int> told;
    {
      const std::lock_guard lock(mutex);
      if (stop && committed.empty()) return false;
      std::swap(told, committed);
    }
    for (const int fd : told) send(fd, kReply.data(), kReply.size(), MSG_NOSIGNAL);
    return true;
  }
  static void take(int fd, std::vector<int>& lines) {
    char buffer[65536];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return void(close(fd));
    lines.insert(lines.end(), static_cast<std::size_t>(std::count(buffer, buffer + n, '\n')), fd);
  }

  void write_rows() {
    std::unique_lock lock(mutex);
    for (;;) {
      arrived.wait(lock, [this] { return stop || !waiting.empty(); });
      if (waiting.empty()) return;
      std::vector<int> rows;
      std::swap(rows, waiting);
      lock.unlock();
      inserts.transaction(rows.size());
      lock.lock();
      committed.insert(committed.end(), rows.begin(), rows.end());
      eventfd_write(wake, 1);
    }
  }

  std::string path;
  RowInserts inserts;
  int epoll = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
  int wake = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  int listener;
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<int> waiting;    // a connection for each line
  std::vector<int> committed;  // likewise, not yet replied to
  bool stop = false;
  std::thread serving, writing;
};

BareServer::BareServer(const std::string& directory)
    : threads_(std::make_unique<Threads>(directory)) {}
BareServer::~BareServer() = default;

const std::string& BareServer::socket() const { return threads_->path; }

}  // namespace checkrelay::bench
