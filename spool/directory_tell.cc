// What a spool directory tells in the log.
#include "spool/directory_worker.h"

namespace checkrelay::spool {

void DirectoryWorker::tell_obstacle(const std::string& name, const Obstacle& obstacle) {
  if (obstacle.kind == Obstacle::Kind::vanished) return;
  bool once = obstacle.kind == Obstacle::Kind::foreign;
  if (once && told_.contains(name)) return;
  std::uint64_t held_back = 0;
  if (!obstacle_gate_.open(loop_.now(), held_back)) return;
  if (told_.size() >= kMaxTold) told_.clear();
  if (once) told_.insert(name);
  log(Level::warn, once ? "spool file is left alone" : "spool file cannot be read",
      {{"file", setup_.path + "/" + name}, {"error", obstacle.what}, {"not_logged", held_back}});
}

void DirectoryWorker::tell_trouble(const std::string& name, const std::string& what) {
  std::uint64_t held_back = 0;
  if (!trouble_gate_.open(loop_.now(), held_back)) return;
  log(Level::error, "spool directory in trouble",
      {{"file", setup_.path + "/" + name}, {"error", what}, {"not_logged", held_back}});
}

void DirectoryWorker::tell_progress() {
  bool over = queue_.size() == 0 && !current_ && open_files_ == 0;
  if (!draining_ && queue_.size() < kLarge) return;
  Steady now = loop_.now().steady;
  if (!draining_) done_ = 0;
  if (draining_ && !over && now < next_progress_) return;
  log(Level::info, over ? "spool directory drained" : "draining spool directory",
      {{"path", setup_.path}, {"done", done_}, {"waiting", queue_.size()}});
  draining_ = !over;
  next_progress_ = now + kProgressEvery;
}

}  // namespace checkrelay::spool
