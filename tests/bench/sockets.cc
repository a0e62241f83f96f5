#include "tests/bench/sockets.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "tests/bench/give_up.h"

namespace checkrelay::bench {
namespace {

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up("{}: too long for a socket's path", path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

}  // namespace

int connect_unix(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  const int fd = checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  checked(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), path.c_str());
  return fd;
}

int bind_unix(const std::string& path, int kind) {
  const sockaddr_un address = unix_address(path);
  const int fd = checked(socket(AF_UNIX, kind | SOCK_CLOEXEC, 0), "socket");
  checked(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), path.c_str());
  return fd;
}

}  // namespace checkrelay::bench
