#include "agent/cli/client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMaxLine = 1024 * 1024;           // bytes; replies are short
constexpr std::size_t kMaxAnswer = 64UL * 1024 * 1024;  // bytes; a long queue listing
constexpr int kRetryConnect = 5;                        // ms, while the agent's backlog is full

tl::unexpected<Error> away(std::string what) { return fail(Errc::unavailable, std::move(what)); }

int milliseconds_until(Steady deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - deadline_in({})).count();
  return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

// True where `fd` is ready before the deadline.
bool wait_for(int fd, short events, Steady deadline) {
  for (;;) {
    pollfd p{fd, events, 0};
    int n = ::poll(&p, 1, milliseconds_until(deadline));
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

// A unix socket connects at once or not at all; EAGAIN says that the listener's backlog is full.
bool connect_in_time(int fd, const sockaddr_un& address, Steady deadline) {
  while (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EAGAIN && errno != EINTR) return false;
    if (milliseconds_until(deadline) == 0) return false;
    ::poll(nullptr, 0, kRetryConnect);
  }
  return true;
}

// The value of a header in the head of an answer; empty where there is none.
std::string_view header_value(std::string_view head, std::string_view name) {
  for (std::string_view line : split(head, '\n')) {
    std::size_t colon = line.find(':');
    if (colon != line.npos && equals_ignoring_case(line.substr(0, colon), name)) {
      return trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

}  // namespace

Steady deadline_in(Duration wait) {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()) + wait;
}

Wall wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

AgentSocket::~AgentSocket() {
  if (fd_ >= 0) ::close(fd_);
}

AgentSocket::AgentSocket(AgentSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

AgentSocket& AgentSocket::operator=(AgentSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

Result<AgentSocket> AgentSocket::connect(const std::string& path, Steady deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return away(fmt::format("{} is no socket's path", quoted(path, 120)));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  AgentSocket out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (out.fd_ < 0 || !connect_in_time(out.fd_, address, deadline)) {
    return away(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return out;
}

Result<void> AgentSocket::write(std::string_view bytes, Steady deadline) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd_, POLLOUT, deadline)) return away("the agent takes nothing more");
    } else if (errno != EINTR) {
      return away(fmt::format("the agent hung up: {}", std::strerror(errno)));
    }
  }
  return {};
}

void AgentSocket::finish_writing() { ::shutdown(fd_, SHUT_WR); }

Result<bool> AgentSocket::read_some(Steady deadline) {
  std::array<char, 16 * 1024> piece{};
  for (;;) {
    if (!wait_for(fd_, POLLIN, deadline)) return away("the agent does not answer");
    ssize_t n = ::recv(fd_, piece.data(), piece.size(), 0);
    if (n >= 0) {
      buffer_.append(piece.data(), static_cast<std::size_t>(n));
      return n > 0;
    }
    if (errno != EINTR && errno != EAGAIN) {
      return away(fmt::format("the agent hung up: {}", std::strerror(errno)));
    }
  }
}

Result<std::string> AgentSocket::read_line(Steady deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find('\n')) == buffer_.npos) {
    if (buffer_.size() > kMaxLine) return away("the agent's reply has no end");
    auto more = read_some(deadline);
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) return away("the agent hung up");
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

Result<std::string> AgentSocket::read_all(Steady deadline, std::size_t limit) {
  for (;;) {
    auto more = read_some(deadline);
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) return std::exchange(buffer_, {});
    if (buffer_.size() > limit) return fail(Errc::invalid, "the agent's answer has no end");
  }
}

Result<HttpAnswer> parse_http_answer(std::string_view bytes) {
  std::size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos || !bytes.starts_with("HTTP/1.1 ") || bytes.size() < 12) {
    return fail(Errc::invalid, "what answers is not the agent: " + quoted(bytes));
  }
  auto status = parse_integer(bytes.substr(9, 3), 100, 599);
  std::string_view head = bytes.substr(0, end);
  std::string_view body = bytes.substr(end + 4);
  std::string_view length = header_value(head, "Content-Length");
  auto wanted = parse_integer(length, 0, static_cast<long long>(kMaxAnswer));
  if (!status ||
      (!length.empty() && (!wanted || static_cast<std::size_t>(*wanted) != body.size()))) {
    return away("the agent's answer is not complete");
  }
  return HttpAnswer{static_cast<int>(*status), std::string(body)};
}

Result<HttpAnswer> ask_agent(const std::string& socket, std::string_view method,
                             std::string_view target, std::string_view body, Duration wait) {
  Steady deadline = deadline_in(wait);
  auto agent = AgentSocket::connect(socket, deadline);
  if (!agent) return tl::unexpected<Error>(agent.error());
  std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: checkrelay\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
      method, target, body.size(), body);
  if (auto sent = agent->write(request, deadline); !sent) {
    return tl::unexpected<Error>(sent.error());
  }
  auto bytes = agent->read_all(deadline, kMaxAnswer);
  if (!bytes && deadline_in({}) >= deadline)
    return away(fmt::format("{} within {}", bytes.error().what, format_duration(wait)));
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  return parse_http_answer(*bytes);
}

}  // namespace checkrelay
