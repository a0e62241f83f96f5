// What a service manager wants to know and what it hands over: sd_notify(3),
// sd_watchdog_enabled(3), sd_listen_fds(3). Without systemd every call here does nothing. Loop
// thread only.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/time.h"

namespace checkrelay {

void notify_ready(std::string_view status);   // at start, and again when a reload is through
void notify_status(std::string_view status);  // one line for `systemctl status`
void notify_reloading(Steady now);            // notify_ready() must follow
void notify_stopping(std::string_view status);
void notify_watchdog();  // "alive"
// How often notify_watchdog() is due: half of what the manager demands. None where there is no
// watchdog.
[[nodiscard]] std::optional<Duration> watchdog_interval();

// Sockets that were opened for us (socket activation). They stay open while the process lives, so
// that a door may be closed and opened again; what is given out are duplicates (close-on-exec),
// owned by the caller.
class InheritedSockets {
 public:
  struct Socket {
    int fd = -1;
    std::string name{};  // FileDescriptorName=
  };
  explicit InheritedSockets(std::vector<Socket> sockets) : sockets_(std::move(sockets)) {}

  // Those of this process, read from the environment on the first call, which also clears the
  // environment.
  [[nodiscard]] static const InheritedSockets& of_process();

  // `type` is SOCK_STREAM (listening) or SOCK_DGRAM; `path` as bound.
  [[nodiscard]] std::optional<int> unix_socket(int type, const std::string& path) const;
  // A listening stream socket bound to exactly this address; port 0 matches none.
  [[nodiscard]] std::optional<int> tcp_socket(const sockaddr* address, socklen_t size) const;
  [[nodiscard]] std::optional<int> fifo(const std::string& path) const;
  [[nodiscard]] const std::vector<Socket>& all() const { return sockets_; }

 private:
  std::vector<Socket> sockets_;
};

}  // namespace checkrelay
