#include "tests/bench/bare_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/give_up.h"
#include "tests/bench/limits.h"
#include "tests/bench/sockets.h"

namespace checkrelay::bench {
namespace {

constexpr std::string_view kReply = "{\"ok\":true}\n";

// Runs until the process is killed.
class Server {
 public:
  Server(int listener, const std::string& directory) : listener_(listener), inserts_(directory) {
    for (const int fd : {listener_, wake_}) watch(fd);
  }
  [[noreturn]] void run() {
    std::thread([this] { commit(); }).detach();
    serve();
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  [[noreturn]] void serve() {
    std::vector<int> lines;  // the connection of each
    for (;;) {
      epoll_event events[64];
      const int n = checked(epoll_wait(epoll_, events, 64, -1), "epoll_wait");
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == wake_) {
          reply();
        } else if (fd == listener_) {
          watch(checked(accept(listener_, nullptr, nullptr), "accept"));
        } else {
          take(fd, lines);
        }
      }
      if (lines.empty()) continue;
      {
        const std::lock_guard lock(mutex_);
        waiting_.insert(waiting_.end(), lines.begin(), lines.end());
      }
      arrived_.notify_one();
      lines.clear();
    }
  }
  static void take(int fd, std::vector<int>& lines) {
    char buffer[65536];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return void(close(fd));
    lines.insert(lines.end(), static_cast<std::size_t>(std::count(buffer, buffer + n, '\n')), fd);
  }
  void reply() {
    eventfd_t times = 0;
    eventfd_read(wake_, &times);
    std::vector<int> told;
    {
      const std::lock_guard lock(mutex_);
      std::swap(told, committed_);
    }
    for (const int fd : told) send(fd, kReply.data(), kReply.size(), MSG_NOSIGNAL);
  }

  [[noreturn]] void commit() {
    std::vector<int> taken;
    for (std::unique_lock lock(mutex_);;) {
      arrived_.wait(lock, [this] { return !waiting_.empty(); });
      std::swap(taken, waiting_);
      lock.unlock();
      inserts_.transaction(taken.size());
      lock.lock();
      committed_.insert(committed_.end(), taken.begin(), taken.end());
      lock.unlock();
      eventfd_write(wake_, 1);
      taken.clear();
      lock.lock();
    }
  }

  int epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
  int wake_ = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  int listener_;
  PackedInserts inserts_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<int> waiting_;    // a connection for each line
  std::vector<int> committed_;  // likewise, not yet replied to
};

}  // namespace

BareServer::BareServer(const std::string& directory)
    : path_(directory + "/bare"), database_(directory + "/limit") {
  const int listener = bind_unix(path_, SOCK_STREAM);
  checked(listen(listener, 512), "listen");
  pid_ = checked(fork(), "fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Server(listener, directory).run();
  }
  close(listener);
}

BareServer::~BareServer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  unlink(path_.c_str());
  std::filesystem::remove_all(database_);
}

}  // namespace checkrelay::bench
