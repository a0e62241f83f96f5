// Which files of a spool directory come next: oldest first, so that a subject's results keep their
// order, and found in bounded steps. Pure but for reading the directory. Loop thread only.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace checkrelay::spool {

// An open directory; what works in it holds on to it, whatever takes its path meanwhile.
struct Directory {
  explicit Directory(int descriptor) : fd(descriptor) {}
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  int fd;
};

// "cXXXXXX": a Nagios check-result file, which "cXXXXXX.ok" beside it releases.
[[nodiscard]] bool is_check_file(std::string_view name);
// True where a name may be a file of results: not hidden, not ".tmp", not a check file's ".ok".
[[nodiscard]] bool is_candidate(std::string_view name);

class DirectoryQueue {
 public:
  // At most this many wait; of more, the oldest are kept, and the next scan finds the others.
  static constexpr std::size_t kMaxWaiting = 65'536;
  // What may wait at all, so that files that are never read cannot crowd out others.
  using Admit = std::function<bool(const std::string& name, const struct stat&)>;
  explicit DirectoryQueue(Admit admit, std::size_t max_waiting = kMaxWaiting)
      : admit_(std::move(admit)), max_(max_waiting) {}

  // Looks at one name and lets it wait, if it is a candidate that is released, and not known
  // already.
  void examine(const Directory& directory, std::string_view name);
  // The oldest; it counts as known until release() or again().
  [[nodiscard]] std::optional<std::string> take();
  void release(const std::string& name) { known_.erase(name); }
  void clear();

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] bool cut() const { return cut_; }  // some were left for the next scan
  void begin_scan() { cut_ = false; }

 private:
  Admit admit_;
  std::size_t max_;
  std::set<std::pair<std::int64_t, std::string>> waiting_{};  // modification time in ns, name
  std::unordered_set<std::string> known_{};                   // waiting or taken
  bool cut_ = false;
};

// Reads a directory a few entries at a time.
class DirectoryScan {
 public:
  // False where the directory cannot be read.
  [[nodiscard]] bool begin(const std::shared_ptr<Directory>& directory);
  // Looks at up to `entries` more. False where all have been seen.
  [[nodiscard]] bool step(std::size_t entries, DirectoryQueue& queue);
  [[nodiscard]] bool active() const { return stream_ != nullptr; }
  void end() { stream_.reset(); }

 private:
  struct Close {
    void operator()(DIR* d) const { closedir(d); }
  };
  std::shared_ptr<Directory> directory_{};
  std::unique_ptr<DIR, Close> stream_{};
};

}  // namespace checkrelay::spool
