// Sockets and FIFOs that have a place in the file system, and TCP addresses: opened, or refused
// with a reason a person can act on.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>

#include "agent/base/result.h"

namespace checkrelay {

// A descriptor that is closed with its owner.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  [[nodiscard]] int get() const { return fd_; }
  int release();

 private:
  int fd_ = -1;
};

struct FilePlace {
  std::string path{};
  mode_t mode = 0660;
  std::string group{};  // name or number; empty = as the system gives it
};

// A path that is ours to remove again, as long as it still is the file we made.
class OwnedPath {
 public:
  OwnedPath() = default;
  explicit OwnedPath(std::string path);
  ~OwnedPath();
  OwnedPath(OwnedPath&& other) noexcept : path_(std::move(other.path_)), made_(other.made_) {
    other.path_.clear();
  }
  OwnedPath& operator=(OwnedPath&& other) noexcept;

 private:
  std::string path_;
  struct stat made_ {};
};

struct OpenedSocket {
  OwnedFd fd{};
  OwnedPath path{};  // empty where the socket was inherited
  std::string where{};
};

// Non-blocking, bound, SOCK_STREAM or SOCK_DGRAM. Takes over an inherited socket of that path; else
// removes a socket file that nobody listens on, and makes the last directory of the path (0755)
// where it is missing.
[[nodiscard]] Result<OpenedSocket> open_unix_socket(int type, const FilePlace& place);

// Made where missing; refuses a path that is something else. Open for reading and writing, so that
// it never ends.
[[nodiscard]] Result<OwnedFd> open_fifo(const FilePlace& place);

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
// "127.0.0.1:8440", "[::1]:8440", "localhost:8440", ":8440" (every address, IPv4 and IPv6).
[[nodiscard]] Result<TcpAddress> parse_listen(const std::string& listen);
[[nodiscard]] std::string format_address(const sockaddr* address);
[[nodiscard]] bool is_loopback(const sockaddr* address);
[[nodiscard]] Result<OpenedSocket> open_tcp_socket(const std::string& listen);

}  // namespace checkrelay
