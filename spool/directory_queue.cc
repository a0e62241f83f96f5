#include "spool/directory_queue.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

namespace checkrelay::spool {
namespace {

constexpr std::size_t kCheckFileName = 7;  // mkstemp's cXXXXXX

std::int64_t nanoseconds(const timespec& t) {
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

bool exists(const Directory& directory, const std::string& name, struct stat& st) {
  return fstatat(directory.fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

Directory::~Directory() { close(fd); }

bool is_check_file(std::string_view name) {
  return name.size() == kCheckFileName && name.front() == 'c';
}

bool is_candidate(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.ends_with(".tmp")) return false;
  return !(name.ends_with(".ok") && is_check_file(name.substr(0, name.size() - 3)));
}

void DirectoryQueue::examine(const Directory& directory, std::string_view name) {
  if (!is_candidate(name)) return;
  std::string key(name);
  if (known_.contains(key)) return;
  struct stat st {};
  if (is_check_file(name) && !exists(directory, key + ".ok", st)) return;
  if (!exists(directory, key, st) || S_ISDIR(st.st_mode) || !admit_(key, st)) return;
  waiting_.emplace(nanoseconds(st.st_mtim), key);
  known_.insert(std::move(key));
  if (waiting_.size() <= max_) return;
  cut_ = true;
  auto newest = std::prev(waiting_.end());
  known_.erase(newest->second);
  waiting_.erase(newest);
}

std::optional<std::string> DirectoryQueue::take() {
  if (waiting_.empty()) return std::nullopt;
  return std::move(waiting_.extract(waiting_.begin()).value().second);
}

void DirectoryQueue::clear() {
  for (const auto& [time, name] : waiting_) known_.erase(name);
  waiting_.clear();
}

bool DirectoryScan::begin(const std::shared_ptr<Directory>& directory) {
  directory_ = directory;
  // A descriptor of its own: fdopendir takes it over, and its position is not shared.
  int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  stream_.reset(fdopendir(fd));
  if (!stream_) close(fd);
  return active();
}

bool DirectoryScan::step(std::size_t entries, DirectoryQueue& queue) {
  for (; active() && entries > 0; --entries) {
    const dirent* entry = readdir(stream_.get());
    if (entry == nullptr)
      end();
    else
      queue.examine(*directory_, entry->d_name);
  }
  return active();
}

}  // namespace checkrelay::spool
