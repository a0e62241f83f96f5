#include "agent/runtime/systemd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace checkrelay {
namespace {

// A status that held a line end would be read as further assignments.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

void notify(const std::string& state) { sd_notify(0, state.c_str()); }

std::optional<int> duplicate(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? std::nullopt : std::optional<int>(copy);
}

std::vector<InheritedSockets::Socket> read_environment() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  std::vector<InheritedSockets::Socket> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.push_back({SD_LISTEN_FDS_START + i, names && names[i] ? names[i] : ""});
    if (names) std::free(names[i]);
  }
  std::free(names);
  return sockets;
}

template <typename Matches>
std::optional<int> first(const std::vector<InheritedSockets::Socket>& sockets, Matches matches) {
  const auto it = std::find_if(sockets.begin(), sockets.end(),
                               [&](const auto& socket) { return matches(socket.fd) > 0; });
  return it == sockets.end() ? std::nullopt : duplicate(it->fd);
}

}  // namespace

void notify_ready(std::string_view status) { notify("READY=1\nSTATUS=" + one_line(status)); }
void notify_status(std::string_view status) { notify("STATUS=" + one_line(status)); }
void notify_stopping(std::string_view status) { notify("STOPPING=1\nSTATUS=" + one_line(status)); }
void notify_watchdog() { notify("WATCHDOG=1"); }

void notify_reloading(Steady now) {
  // The steady clock is CLOCK_MONOTONIC in microseconds, which is what systemd compares with.
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.time_since_epoch().count()));
}

std::optional<Duration> watchdog_interval() {
  std::uint64_t demanded = 0;
  if (sd_watchdog_enabled(0, &demanded) <= 0) return std::nullopt;
  return std::max(Duration(1000), Duration(static_cast<Duration::rep>(demanded / 2)));
}

const InheritedSockets& InheritedSockets::of_process() {
  static const InheritedSockets sockets(read_environment());
  return sockets;
}

std::optional<int> InheritedSockets::unix_socket(int type, const std::string& path) const {
  const int listening = type == SOCK_STREAM ? 1 : -1;
  return first(sockets_, [&](int fd) {
    return sd_is_socket_unix(fd, type, listening, path.c_str(), path.size());
  });
}

std::optional<int> InheritedSockets::tcp_socket(const sockaddr* address, socklen_t size) const {
  sockaddr_in
      probe{};  // the port lies at the same place for IPv4 and IPv6; sd takes port 0 for any
  std::memcpy(&probe, address, std::min<std::size_t>(size, sizeof probe));
  if (probe.sin_port == 0) return std::nullopt;
  return first(sockets_,
               [&](int fd) { return sd_is_socket_sockaddr(fd, SOCK_STREAM, address, size, 1); });
}

std::optional<int> InheritedSockets::fifo(const std::string& path) const {
  return first(sockets_, [&](int fd) { return sd_is_fifo(fd, path.c_str()); });
}

}  // namespace checkrelay
