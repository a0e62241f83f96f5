#include "agent/runtime/state_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/runtime/loop.h"

namespace checkrelay {
namespace {

tl::unexpected<Error> os_error(const char* what, const std::string& path) {
  return fail(Errc::unavailable,
              std::string(what) + " " + quoted(path, 200) + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Result<void> replace(const std::string& path, const std::string& bytes) {
  const std::string fresh = path + ".new";
  {
    Descriptor file(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!file.open()) return os_error("open", fresh);
    if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0) return os_error("write", fresh);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return os_error("rename", fresh);
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  Descriptor d(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
  if (!d.open() || ::fsync(d.get()) != 0) return os_error("sync", directory);
  return {};
}

}  // namespace

// Shared with the job that is under way, which may outlive the file.
struct StateFile::Desk {
  uv_loop_t* loop = nullptr;
  std::string path{};
  bool busy = false;
  bool failing = false;  // told
  std::optional<std::string> next{};

  struct Job {
    uv_work_t request{};
    std::shared_ptr<Desk> desk{};
    std::string bytes{};
    Result<void> outcome{};
  };
  static void begin(const std::shared_ptr<Desk>& desk) {
    if (desk->busy || !desk->next) return;
    desk->busy = true;
    auto* job = new Job{{}, desk, *std::exchange(desk->next, std::nullopt), {}};
    job->request.data = job;
    uv_queue_work(desk->loop, &job->request, run, ended);
  }
  static void run(uv_work_t* request) {
    Job& job = *static_cast<Job*>(request->data);
    job.outcome = replace(job.desk->path, job.bytes);
  }
  static void ended(uv_work_t* request, int) {
    const std::unique_ptr<Job> job(static_cast<Job*>(request->data));
    Desk& desk = *job->desk;
    desk.busy = false;
    const bool failed = !job->outcome;
    if (failed && !desk.failing)
      log(Level::warn, "a file of the state directory cannot be written",
          {{"error", job->outcome.error().what}});
    desk.failing = failed;
    begin(job->desk);
  }
};

StateFile::StateFile(Loop& loop, std::string path) : desk_(std::make_shared<Desk>()) {
  desk_->loop = loop.uv();
  desk_->path = std::move(path);
}

StateFile::~StateFile() { desk_->next.reset(); }

void StateFile::write(std::string bytes) {
  desk_->next = std::move(bytes);
  Desk::begin(desk_);
}

Result<std::string> StateFile::read(std::size_t limit) const {
  Descriptor file(desk_->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file.open() && errno == ENOENT) return std::string();
  if (!file.open()) return os_error("open", desk_->path);
  std::string out;
  std::array<char, 64 * 1024> piece{};
  for (;;) {
    const ssize_t n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("read", desk_->path);
    if (n == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(n));
    if (out.size() > limit)
      return fail(Errc::corrupt, quoted(desk_->path, 200) + " is longer than it can be");
  }
}

}  // namespace checkrelay
