#include "spool/directory_end.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace checkrelay::spool {
namespace {

constexpr const char* kRejected = "rejected";
constexpr int kMaxSuffix = 10'000;
constexpr std::size_t kMaxBase = 240;  // NAME_MAX less the suffixes

tl::unexpected<Error> trouble(std::string_view what) {
  bool no_room = errno == ENOSPC || errno == EDQUOT;
  return fail(no_room ? Errc::full : Errc::unavailable,
              fmt::format("{}: {}", what, std::strerror(errno)));
}

std::string reasons_of(const FileInHand& file) {
  std::string text;
  for (const Refusal& r : file.reasons) {
    if (r.line > 0) text += fmt::format("line {}: ", r.line);
    text += r.what + "\n";
  }
  if (file.more_reasons > 0) text += fmt::format("and {} more\n", file.more_reasons);
  return text;
}

Result<std::shared_ptr<Directory>> open_rejected(const Directory& parent) {
  if (mkdirat(parent.fd, kRejected, 0750) != 0 && errno != EEXIST) return trouble("rejected/");
  int fd = openat(parent.fd, kRejected, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return trouble("rejected/");
  auto rejected = std::make_shared<Directory>(fd);
  struct stat st {};
  bool ours = fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0);
  if (!ours)  // whoever may write into the spool could have made it
    return fail(Errc::unavailable, fmt::format("rejected/ belongs to uid={}", st.st_uid));
  return rejected;
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return trouble("write");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fsync(fd) != 0) return trouble("fsync");
  return {};
}

// Errc::refused where the name is taken.
Result<void> write_why(const Directory& rejected, const std::string& name, std::string_view text) {
  int fd =
      openat(rejected.fd, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd < 0 && errno == EEXIST) return fail(Errc::refused, name);
  if (fd < 0) return trouble(name);
  Result<void> written = write_all(fd, text);
  close(fd);
  if (!written) unlinkat(rejected.fd, name.c_str(), 0);
  return written;
}

// Some network file systems do not know RENAME_NOREPLACE; nobody else writes into rejected/.
bool rename_new(int from, const char* old_name, int into, const char* new_name) {
  if (renameat2(from, old_name, into, new_name, RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL) return false;
  struct stat st {};
  if (fstatat(into, new_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return false;
  }
  return renameat(from, old_name, into, new_name) == 0;
}

Result<void> move_in(const OpenFile& file, const Directory& rejected, const std::string& name) {
  std::string why = name + ".why";
  if (rename_new(file.directory->fd, file.name.c_str(), rejected.fd, name.c_str())) return {};
  int error = errno;
  unlinkat(rejected.fd, why.c_str(), 0);
  errno = error;
  if (error == EEXIST) return fail(Errc::refused, name);
  return trouble("rejected/" + name);
}

void remove_release(const OpenFile& file) {
  if (is_check_file(file.name)) unlinkat(file.directory->fd, (file.name + ".ok").c_str(), 0);
}

}  // namespace

Result<void> remove_file(const OpenFile& file) {
  if (unlinkat(file.directory->fd, file.name.c_str(), 0) != 0 && errno != ENOENT)
    return trouble(file.name);
  remove_release(file);
  return {};
}

Result<std::string> reject_file(const FileInHand& in_hand) {
  const OpenFile& file = in_hand.file;
  auto rejected = open_rejected(*file.directory);
  if (!rejected) return tl::unexpected<Error>(rejected.error());
  std::string text = reasons_of(in_hand);
  std::string base = file.name.substr(0, kMaxBase);
  for (int suffix = 0; suffix < kMaxSuffix; ++suffix) {
    std::string name = suffix == 0 ? base : fmt::format("{}.{}", base, suffix);
    Result<void> done = write_why(**rejected, name + ".why", text);
    if (done) done = move_in(file, **rejected, name);
    if (!done && done.error().code == Errc::refused) continue;
    if (!done) return tl::unexpected<Error>(done.error());
    remove_release(file);
    fsync((*rejected)->fd);
    return name;
  }
  return fail(Errc::unavailable, "rejected/" + file.name + ": too many of that name");
}

}  // namespace checkrelay::spool
