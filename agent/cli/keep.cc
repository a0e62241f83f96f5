#include "agent/cli/keep.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/cli/left_behind.h"

namespace checkrelay {
namespace {

// The agent runs as another user: it must be able to read the file. Whom the directory lets in is
// the directory's mode.
constexpr mode_t kMode = 0644;

Result<void> failed(const char* did, const std::string& path) {
  return fail(Errc::unavailable, fmt::format("{}: cannot {}: {}", path, did, std::strerror(errno)));
}

Result<void> write_all(int fd, std::string_view content, const std::string& path, Sync sync) {
  while (!content.empty()) {
    ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("write", path);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fchmod(fd, kMode) != 0) return failed("set the mode", path);
  if (sync == Sync::now && ::fsync(fd) != 0) return failed("sync", path);
  return {};
}

// Where the directory may be written but not read (mode 1733) it cannot be opened for a sync; then
// all of its file system is synced.
struct Directory {
  std::string path{};
  int fd = -1;
  bool readable = true;
};

Directory open_directory(const std::string& path) {
  Directory out{path, ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (out.fd < 0 && errno == EACCES) {
    out = {path, ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), false};
  }
  return out;
}

bool sync_entry(const Directory& dir, int fd) {
  return (dir.readable ? ::fsync(dir.fd) : ::syncfs(fd)) == 0;
}

bool sync_all(const Directory& dir, int fd) { return ::fsync(fd) == 0 && sync_entry(dir, fd); }

Result<void> publish(const Directory& dir, int fd, const std::string& hidden,
                     const std::string& name, Sync sync) {
  if (::renameat(dir.fd, hidden.c_str(), dir.fd, name.c_str()) != 0) {
    return failed("rename", dir.path + "/" + hidden);
  }
  if (sync == Sync::none) return {};
  if (sync == Sync::behind) {
    if (left_behind({fd, dir.fd})) ::_exit(sync_all(dir, fd) ? 0 : 1);
    return {};
  }
  if (sync_entry(dir, fd)) return {};
  Result<void> out = failed("sync", dir.path);
  ::unlinkat(dir.fd, name.c_str(), 0);
  return out;
}

Result<void> put(const Directory& dir, const std::string& name, std::string_view content,
                 Sync sync) {
  std::string hidden = "." + name + ".tmp";
  int fd =
      ::openat(dir.fd, hidden.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("make a file", dir.path);
  Result<void> out = write_all(fd, content, dir.path + "/" + hidden, sync);
  if (out) out = publish(dir, fd, hidden, name, sync);
  if (!out) ::unlinkat(dir.fd, hidden.c_str(), 0);
  ::close(fd);
  return out;
}

}  // namespace

Result<void> keep_in_spool(const std::string& dir, const std::string& name,
                           std::string_view content, Sync sync) {
  Directory directory = open_directory(dir);
  if (directory.fd < 0) return failed("open", dir);
  Result<void> out = put(directory, name, content, sync);
  ::close(directory.fd);
  return out;
}

}  // namespace checkrelay
