#include "tests/bench/sink.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "tests/bench/give_up.h"

namespace checkrelay::bench {
namespace {

void signal_event(int fd) {
  std::uint64_t one = 1;
  if (write(fd, &one, sizeof one) != sizeof one) give_up("eventfd");
}

void clear_event(int fd) {
  std::uint64_t count = 0;
  (void)!read(fd, &count, sizeof count);
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    if (strncasecmp(head.data() + at, kName.data(), kName.size()) == 0)
      return std::strtoul(head.data() + at + kName.size(), nullptr, 10);
  }
  return 0;
}

// Bytes of the first request in `in`; 0 while it is not whole.
std::size_t whole_request(std::string_view in) {
  std::size_t end = in.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  std::size_t size = end + 4 + content_length(in.substr(0, end + 2));
  return size <= in.size() ? size : 0;
}

int listen_on_loopback(int& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  checked(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  checked(listen(fd, 128), "listen");
  socklen_t size = sizeof address;
  checked(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port = ntohs(address.sin_port);
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

}  // namespace

Sink::Sink(Responder respond)
    : respond_(std::move(respond)),
      listener_(listen_on_loopback(port_)),
      epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll")),
      wake_(checked(eventfd(0, EFD_CLOEXEC), "eventfd")),
      reached_(checked(eventfd(0, EFD_CLOEXEC), "eventfd")) {
  watch(epoll_, listener_);
  watch(epoll_, wake_);
  thread_ = std::thread([this] { serve(); });
}

Sink::~Sink() {
  stopping_ = true;
  signal_event(wake_);
  thread_.join();
  for (auto& [fd, connection] : connections_) close(fd);
  for (int fd : {listener_, epoll_, wake_, reached_}) close(fd);
}

std::string Sink::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

void Sink::release() {
  held_ = false;
  signal_event(wake_);
}

void Sink::expect(std::uint64_t count) {
  pollfd stale{reached_, POLLIN, 0};
  if (poll(&stale, 1, 0) == 1) clear_event(reached_);
  answered_ = 0;
  expected_ = count;
}

std::uint64_t Sink::wait(double seconds) const {
  pollfd event{reached_, POLLIN, 0};
  if (poll(&event, 1, static_cast<int>(seconds * 1000)) == 1) clear_event(reached_);
  return answered_;
}

void Sink::serve() {
  while (!stopping_) {
    epoll_event events[64];
    int n = checked(epoll_wait(epoll_, events, 64, -1), "epoll_wait");
    for (int i = 0; i < n; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener_) {
        accept_one();
      } else if (fd == wake_) {
        clear_event(wake_);
        for (auto& [other, connection] : connections_) answer(other, connection);
      } else {
        receive(fd, connections_[fd]);
      }
    }
  }
}

void Sink::accept_one() {
  int fd = checked(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), "accept");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connections_[fd];
  watch(epoll_, fd);
}

void Sink::receive(int fd, Connection& connection) {
  char buffer[65536];
  ssize_t n = recv(fd, buffer, sizeof buffer, 0);
  if (n <= 0) return hang_up(fd);
  connection.in.append(buffer, static_cast<std::size_t>(n));
  answer(fd, connection);
}

void Sink::hang_up(int fd) {
  connections_.erase(fd);
  close(fd);  // epoll forgets it
}

void Sink::answer(int fd, Connection& connection) {
  if (held_) return;
  std::string_view rest = connection.in;
  std::uint64_t count = 0;
  connection.out.clear();
  for (std::size_t size = 0; (size = whole_request(rest)) != 0; rest.remove_prefix(size))
    count += respond_(rest.substr(0, size), connection.out);
  if (connection.out.empty()) return;
  connection.in.erase(0, connection.in.size() - rest.size());
  // Answers are small beside a socket's buffer, and a client that does not read them is none of
  // ours.
  (void)!send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  std::uint64_t before = answered_.fetch_add(count);
  std::uint64_t wanted = expected_;
  if (before < wanted && before + count >= wanted) signal_event(reached_);
}

}  // namespace checkrelay::bench
