#include "spool/directory_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace checkrelay::spool {
namespace {

constexpr std::size_t kHashBytes = 10;  // enough beside the time, which is to the nanosecond

std::string_view kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "no regular file";
}

tl::unexpected<Obstacle> obstacle(Obstacle::Kind kind, std::string what) {
  return tl::unexpected<Obstacle>(Obstacle{kind, std::move(what)});
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

std::optional<Obstacle> objection(const struct stat& st, Owners& owners) {
  using Kind = Obstacle::Kind;
  if (S_ISDIR(st.st_mode)) return Obstacle{Kind::vanished, {}};
  if (!S_ISREG(st.st_mode)) return Obstacle{Kind::foreign, std::string(kind_of(st.st_mode))};
  if (!owners.admits(st.st_uid))
    return Obstacle{Kind::foreign, fmt::format("owner uid={} is not admitted", st.st_uid)};
  return std::nullopt;
}

OpenFile::~OpenFile() {
  if (fd >= 0) ::close(fd);
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : directory(std::move(other.directory)),
      name(std::move(other.name)),
      fd(std::exchange(other.fd, -1)),
      stat(other.stat) {}

bool OpenFile::unchanged() const {
  struct stat now {};
  return fstatat(directory->fd, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
         same_file(now, stat);
}

tl::expected<OpenFile, Obstacle> open_file(const std::shared_ptr<Directory>& directory,
                                           const std::string& name, Owners& owners) {
  // Looked at before it is opened, since opening a device may already do something; and again
  // after, since it may have been exchanged meanwhile.
  OpenFile file;
  if (fstatat(directory->fd, name.c_str(), &file.stat, AT_SYMLINK_NOFOLLOW) != 0)
    return obstacle(errno == ENOENT ? Obstacle::Kind::vanished : Obstacle::Kind::unreadable,
                    std::strerror(errno));
  if (auto no = objection(file.stat, owners)) return tl::unexpected<Obstacle>(*no);
  file.fd = openat(directory->fd, name.c_str(),
                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file.fd < 0)
    return obstacle(errno == ENOENT ? Obstacle::Kind::vanished : Obstacle::Kind::unreadable,
                    std::strerror(errno));
  if (fstat(file.fd, &file.stat) != 0)
    return obstacle(Obstacle::Kind::unreadable, std::strerror(errno));
  if (auto no = objection(file.stat, owners)) return tl::unexpected<Obstacle>(*no);
  file.directory = directory;
  file.name = name;
  return file;
}

std::string identity_of(const OpenFile& file, const std::string& directory_path) {
  std::string told = fmt::format("{}\n{}\n{}\n{}.{}", directory_path, file.name, file.stat.st_ino,
                                 file.stat.st_mtim.tv_sec, file.stat.st_mtim.tv_nsec);
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(told.data()),
                     told.size(), nullptr, 0);
  // The time leads: files are taken by it, and ids that ascend share the pages of the journal's
  // index.
  const std::int64_t time = file.stat.st_mtim.tv_sec * 1'000'000'000LL + file.stat.st_mtim.tv_nsec;
  std::array<char, 2 * kHashBytes + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), kHashBytes);
  return fmt::format("{:016x}{}", static_cast<std::uint64_t>(time), hex.data());
}

void FileInHand::name_results(Submission& submission) {
  for (CheckResult& r : submission.results) {
    ++results;
    if (r.id.empty()) r.id = fmt::format("{}-{}", identity, results);
  }
}

void FileInHand::close() { ::close(std::exchange(file.fd, -1)); }

void FileInHand::add_reasons(const std::vector<Refusal>& refusals) {
  for (const Refusal& r : refusals) {
    if (reasons.size() < kMaxReasons)
      reasons.push_back(r);
    else
      ++more_reasons;
  }
}

}  // namespace checkrelay::spool
