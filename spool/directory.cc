#include "spool/directory.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/base/text.h"
#include "spool/directory_worker.h"

namespace checkrelay {
namespace {

using spool::DirectoryWorker;

constexpr OptionRow kRows[] = {
    {"path", OptionKind::path, "", "the directory; its files are taken and removed", true},
    {"allow_users", OptionKind::list, "",
     "whose files are taken; none here and in allow_groups: everybody's"},
    {"allow_groups", OptionKind::list, "", "files of members of these groups are taken"},
    {"rescan", OptionKind::duration, "30s",
     "how often the directory is looked through for what no event told"},
};

class SpoolListener final : public Listener {
 public:
  explicit SpoolListener(std::shared_ptr<DirectoryWorker> worker) : worker_(std::move(worker)) {}
  ~SpoolListener() override { worker_->stop(); }
  [[nodiscard]] std::string where() const override { return worker_->path(); }
  void drained() override { worker_->wake(); }
  void stop() override { worker_->stop(); }
  [[nodiscard]] bool idle() const override { return worker_->idle(); }

 private:
  std::shared_ptr<DirectoryWorker> worker_;
};

Result<std::unique_ptr<Listener>> open_spool(const Options& options, const Options& limits,
                                             Loop& loop, Receiver& receiver) {
  if (sodium_init() < 0) return fail(Errc::unavailable, "libsodium does not start");
  auto owners = spool::Owners::from(options.list("allow_users"), options.list("allow_groups"));
  if (!owners) return tl::unexpected<Error>(owners.error());
  DirectoryWorker::Setup setup;
  setup.path = options.text("path");
  setup.owners = std::move(*owners);
  if (auto rescan = options.duration("rescan"); rescan > Duration(0)) setup.rescan = rescan;
  if (auto max = limits.integer("max_result"); max > 0)
    setup.max_result = static_cast<std::size_t>(max);
  if (mkdir(setup.path.c_str(), 0770) != 0 && errno != EEXIST)
    return fail(Errc::unavailable, quoted(setup.path) + ": " + std::strerror(errno));
  auto worker = std::make_shared<DirectoryWorker>(std::move(setup), loop, receiver);
  if (auto started = worker->start(); !started) return tl::unexpected<Error>(started.error());
  return std::make_unique<SpoolListener>(std::move(worker));
}

}  // namespace

const IntakeKind& spool_intake() {
  static const IntakeKind kind{"spool", "files that are renamed into a directory", kRows,
                               open_spool};
  return kind;
}

}  // namespace checkrelay
