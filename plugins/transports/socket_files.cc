#include "plugins/transports/socket_files.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/base/text.h"
#include "agent/runtime/systemd.h"
#include "plugins/transports/peer_filter.h"

namespace checkrelay {
namespace {

tl::unexpected<Error> system_fault(const std::string& path, const std::string& doing) {
  const int error = errno;
  return fail(Errc::unavailable, path + ": " + doing + ": " + std::strerror(error));
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<void> check_path(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos)
    return fail(Errc::invalid, "path " + quoted(path) + " is no file name");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Errc::invalid, path + ": longer than the " +
                                   std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                   " bytes that a socket's path may have");
  return {};
}

Result<void> make_parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string parent = path.substr(0, slash);
  if (mkdir(parent.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return system_fault(path, "make directory " + parent);
}

Result<void> apply_place(const FilePlace& place) {
  if (!place.group.empty()) {
    const auto gid = find_group(place.group);
    if (!gid) return fail(gid.error().code, place.path + ": group: " + gid.error().what);
    if (lchown(place.path.c_str(), static_cast<uid_t>(-1), *gid) != 0)
      return system_fault(place.path, "give to group " + place.group);
  }
  if (chmod(place.path.c_str(), place.mode) != 0) return system_fault(place.path, "set mode");
  return {};
}

// Does another process have it? Asked by connecting, with either type, since a file does not say
// its own.
bool is_served(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    const OwnedFd probe(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return true;
    if (errno != EPROTOTYPE) return errno != ECONNREFUSED && errno != ENOENT;
  }
  return true;
}

Result<void> remove_stale(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0)
    return errno == ENOENT ? Result<void>{} : system_fault(path, "look at");
  if (!S_ISSOCK(found.st_mode)) return fail(Errc::invalid, path + ": exists and is no socket");
  if (is_served(path)) return fail(Errc::unavailable, path + ": another process listens there");
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return system_fault(path, "remove stale socket");
  return {};
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}
OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
int OwnedFd::release() { return std::exchange(fd_, -1); }

OwnedPath::OwnedPath(std::string path) : path_(std::move(path)) {
  if (lstat(path_.c_str(), &made_) != 0) path_.clear();
}
OwnedPath::~OwnedPath() {
  struct stat now {};
  if (path_.empty() || lstat(path_.c_str(), &now) != 0) return;
  if (now.st_ino == made_.st_ino && now.st_dev == made_.st_dev) unlink(path_.c_str());
}
OwnedPath& OwnedPath::operator=(OwnedPath&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(made_, other.made_);
  return *this;
}

Result<OpenedSocket> open_unix_socket(int type, const FilePlace& place) {
  const std::string& path = place.path;
  if (auto good = check_path(path); !good) return tl::unexpected(good.error());
  OpenedSocket opened;
  opened.where = path;
  if (const auto inherited = InheritedSockets::of_process().unix_socket(type, path)) {
    opened.fd = OwnedFd(*inherited);
    fcntl(*inherited, F_SETFL, fcntl(*inherited, F_GETFL) | O_NONBLOCK);
    return opened;
  }
  for (const auto& step : {make_parent(path), remove_stale(path)})
    if (!step) return tl::unexpected(step.error());
  opened.fd = OwnedFd(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (opened.fd.get() < 0) return system_fault(path, "make socket");
  fchmod(opened.fd.get(),
         0600);  // the file is made with it: nobody slips in before its mode is set
  const sockaddr_un address = unix_address(path);
  if (bind(opened.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_fault(path, "bind");
  opened.path = OwnedPath(path);
  if (auto placed = apply_place(place); !placed) return tl::unexpected(placed.error());
  return opened;
}

Result<OwnedFd> open_fifo(const FilePlace& place) {
  const std::string& path = place.path;
  if (const auto inherited = InheritedSockets::of_process().fifo(path)) return OwnedFd(*inherited);
  if (path.empty() || path.find('\0') != std::string::npos)
    return fail(Errc::invalid, "path " + quoted(path) + " is no file name");
  if (auto made = make_parent(path); !made) return tl::unexpected(made.error());
  const bool made = mkfifo(path.c_str(), 0600) == 0;
  if (!made && errno != EEXIST) return system_fault(path, "make FIFO");
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return system_fault(path, "look at");
  if (!S_ISFIFO(found.st_mode)) return fail(Errc::invalid, path + ": exists and is no FIFO");
  if (made) {
    if (auto placed = apply_place(place); !placed) return tl::unexpected(placed.error());
  }
  OwnedFd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0) return system_fault(path, "open");
  if (fstat(fd.get(), &found) != 0 || !S_ISFIFO(found.st_mode))
    return fail(Errc::invalid, path + ": is no FIFO any more");
  return fd;
}

}  // namespace checkrelay
