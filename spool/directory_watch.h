// Hints that something came into a directory (inotify(7)). Hints only: the queue of the kernel
// overflows, and changes made by other hosts on a network file system never show. Loop thread only.
#pragma once

#include <uv.h>

#include <functional>
#include <string>
#include <string_view>

#include "agent/runtime/loop.h"

namespace checkrelay::spool {

class DirectoryWatch {
 public:
  struct Hints {
    std::function<void(std::string_view name)> arrived{};
    std::function<void()> lost{};  // some hints are lost: look at everything
    std::function<void()> gone{};  // the directory was removed or renamed; watch() again
  };
  DirectoryWatch(Loop& loop, Hints hints);  // `loop` must outlive it
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  // Forgets what was watched before. False where there can be no hints (no such directory, no more
  // watches allowed).
  bool watch(const std::string& path);

 private:
  static void on_readable(uv_poll_t* handle, int status, int events);
  void read_events();
  void handle(std::uint32_t mask, int watch, std::string_view name);

  Hints hints_;
  uv_poll_t* poll_ = nullptr;  // owned by the loop after close
  int fd_ = -1;
  int watch_ = -1;
};

}  // namespace checkrelay::spool
