#include "tests/bench/load.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "tests/bench/give_up.h"
#include "tests/bench/series.h"
#include "tests/bench/sockets.h"

namespace checkrelay::bench {
namespace {

constexpr std::string_view kGood = "{\"ok\":true";
constexpr int kSilenceMs = 20'000;  // no reply for so long: the agent hangs

// Counts reply lines in whatever pieces they come.
class Replies {
 public:
  [[nodiscard]] std::uint64_t count() const { return count_; }
  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) return void(partial_ += bytes);
      take(bytes.substr(0, end));
      bytes.remove_prefix(end + 1);
    }
  }

 private:
  void take(std::string_view end) {
    std::string_view line = end;
    if (!partial_.empty()) line = partial_ += end;
    if (!line.starts_with(kGood)) give_up("a result was not taken: {}", line);
    partial_.clear();
    ++count_;
  }
  std::string partial_;
  std::uint64_t count_ = 0;
};

class Producer {
 public:
  Producer(const Load& load, const Block& block, std::size_t first, std::uint64_t results)
      : block_(block),
        window_(load.window),
        first_(first),
        results_(results),
        fd_(connect_unix(load.socket)) {}
  ~Producer() { close(fd_); }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool wants_to_write() const { return blocked_; }
  [[nodiscard]] bool done() const { return replies_.count() == results_; }
  [[nodiscard]] std::uint64_t acknowledged() const { return replies_.count(); }
  void finish_early() { results_ = sent_ + (offset_ > 0 ? 1 : 0); }
  void write_some();
  void read_some();

 private:
  [[nodiscard]] std::size_t place(std::uint64_t result) const {
    return (first_ + result) % block_.results();
  }

  const Block& block_;
  std::uint64_t window_;
  std::size_t first_;  // where in the block it begins
  std::uint64_t results_;
  int fd_;
  std::uint64_t sent_ = 0;  // whole results
  std::size_t offset_ = 0;  // bytes of the next one that are sent
  bool blocked_ = false;
  Replies replies_;
};

void Producer::write_some() {
  blocked_ = false;
  for (;;) {
    std::uint64_t count = std::min(results_, replies_.count() + window_) - sent_;
    if (count == 0) return;
    std::size_t at = place(sent_);
    std::size_t end = std::min<std::size_t>(at + count, block_.results());
    std::size_t from = block_.starts[at] + offset_;
    ssize_t n = send(fd_, block_.bytes.data() + from, block_.starts[end] - from,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return void(blocked_ = true);
    std::size_t reached =
        from + static_cast<std::size_t>(checked(static_cast<int>(n), "sending results"));
    auto next = std::upper_bound(block_.starts.begin(), block_.starts.end(), reached) - 1;
    sent_ += static_cast<std::uint64_t>(next - block_.starts.begin()) - at;
    offset_ = reached - *next;
  }
}

void Producer::read_some() {
  char buffer[65536];
  ssize_t n = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) give_up("the agent closed a connection after {} replies", replies_.count());
  replies_.feed({buffer, static_cast<std::size_t>(n)});
}

class Crowd {
 public:
  Crowd(const Load& load, const Block& block);
  ~Crowd() { close(epoll_); }
  LoadReport run(double seconds);

 private:
  void turn();
  void serve(Producer& p, std::uint32_t events);
  void finish_early(Producer& p);
  void watch(Producer& p, int operation, bool writing);

  int epoll_;
  std::vector<std::unique_ptr<Producer>> producers_;
  std::size_t open_ = 0;
};

Crowd::Crowd(const Load& load, const Block& block)
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll")) {
  for (std::size_t i = 0; i < load.connections; ++i) {
    std::size_t first = block.results() / load.connections * i;
    std::uint64_t share =
        load.results / load.connections + (i < load.results % load.connections ? 1 : 0);
    if (share == 0) continue;
    producers_.push_back(std::make_unique<Producer>(load, block, first, share));
    watch(*producers_.back(), EPOLL_CTL_ADD, false);
    ++open_;
  }
}

void Crowd::watch(Producer& p, int operation, bool writing) {
  epoll_event event{};
  event.events = EPOLLIN | (writing ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.ptr = &p;
  checked(epoll_ctl(epoll_, operation, p.fd(), &event), "epoll_ctl");
}

void Crowd::serve(Producer& p, std::uint32_t events) {
  bool was = p.wants_to_write();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) p.read_some();
  p.write_some();
  if (p.wants_to_write() != was) watch(p, EPOLL_CTL_MOD, p.wants_to_write());
  if (!p.done()) return;
  checked(epoll_ctl(epoll_, EPOLL_CTL_DEL, p.fd(), nullptr), "epoll_ctl");
  --open_;
}

void Crowd::finish_early(Producer& p) {
  if (p.done()) return;
  p.finish_early();
  serve(p, 0);
}

void Crowd::turn() {
  epoll_event events[64];
  int n = checked(epoll_wait(epoll_, events, 64, kSilenceMs), "epoll_wait");
  if (n == 0) give_up("no reply for {} s", kSilenceMs / 1000);
  for (int i = 0; i < n; ++i) serve(*static_cast<Producer*>(events[i].data.ptr), events[i].events);
}

LoadReport Crowd::run(double seconds) {
  double began = seconds_now();
  bool early = false;
  for (auto& p : producers_) serve(*p, 0);
  while (open_ > 0) {
    turn();
    if (early || seconds_now() - began < seconds) continue;
    early = true;
    for (auto& p : producers_) finish_early(*p);
  }
  LoadReport report;
  report.seconds = seconds_now() - began;
  for (auto& p : producers_) report.acknowledged += p->acknowledged();
  return report;
}

void await_reply(int fd, Replies& replies) {
  char buffer[4096];
  ssize_t n = recv(fd, buffer, sizeof buffer, 0);
  if (n <= 0) give_up("the agent closed a connection after {} replies", replies.count());
  replies.feed({buffer, static_cast<std::size_t>(n)});
}

}  // namespace

LoadReport run_load(const Load& load, const Block& block) {
  return Crowd(load, block).run(load.seconds);
}

std::vector<double> acknowledge_times(const std::string& socket, std::uint64_t results,
                                      const Block& block) {
  std::vector<double> times;
  int fd = connect_unix(socket);
  Replies replies;
  for (std::uint64_t i = 0; i < results; ++i) {
    std::size_t at = i % block.results();
    std::size_t size = block.starts[at + 1] - block.starts[at];
    double began = seconds_now();
    ssize_t sent = send(fd, block.bytes.data() + block.starts[at], size, MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(size)) give_up("sending a result: {}", std::strerror(errno));
    while (replies.count() <= i) await_reply(fd, replies);
    times.push_back(seconds_now() - began);
  }
  close(fd);
  return times;
}

}  // namespace checkrelay::bench
