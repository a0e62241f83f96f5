#include "spool/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace checkrelay::spool {
namespace {

constexpr std::uint32_t kMask =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

DirectoryWatch::DirectoryWatch(Loop& loop, Hints hints) : hints_(std::move(hints)) {
  fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd_ < 0) return;
  poll_ = new uv_poll_t{};
  uv_poll_init(loop.uv(), poll_, fd_);
  poll_->data = this;
  uv_poll_start(poll_, UV_READABLE, &DirectoryWatch::on_readable);
}

DirectoryWatch::~DirectoryWatch() {
  if (poll_ == nullptr) return;
  uv_poll_stop(poll_);
  poll_->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(poll_),
           [](uv_handle_t* h) { delete reinterpret_cast<uv_poll_t*>(h); });
  close(fd_);
}

bool DirectoryWatch::watch(const std::string& path) {
  if (fd_ < 0) return false;
  if (watch_ >= 0) inotify_rm_watch(fd_, watch_);
  watch_ = inotify_add_watch(fd_, path.c_str(), kMask);
  return watch_ >= 0;
}

void DirectoryWatch::on_readable(uv_poll_t* handle, int status, int) {
  auto* self = static_cast<DirectoryWatch*>(handle->data);
  if (self != nullptr && status == 0) self->read_events();
}

void DirectoryWatch::read_events() {
  alignas(inotify_event) char buffer[16 * 1024];
  ssize_t size = read(fd_, buffer, sizeof buffer);  // one read a turn: the rest shows in the next
  for (ssize_t at = 0; at < size;) {
    inotify_event event{};
    std::memcpy(&event, buffer + at, sizeof event);
    const char* name = buffer + at + sizeof event;
    handle(event.mask, event.wd, event.len > 0 ? std::string_view(name) : std::string_view());
    at += static_cast<ssize_t>(sizeof event + event.len);
  }
}

void DirectoryWatch::handle(std::uint32_t mask, int watch, std::string_view name) {
  if ((mask & IN_Q_OVERFLOW) != 0) return hints_.lost();
  if (watch != watch_) return;  // of a directory that was watched before
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
    if ((mask & IN_MOVE_SELF) != 0) inotify_rm_watch(fd_, watch_);
    watch_ = -1;
    return hints_.gone();
  }
  if (!name.empty()) hints_.arrived(name);
}

}  // namespace checkrelay::spool
