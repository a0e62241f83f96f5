// Works through a spool directory in bounded steps: scan, read, wait for the commit, remove. Held
// by the listener and, weakly, by every callback. Loop thread only.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "agent/base/log.h"
#include "agent/port/transport.h"
#include "agent/runtime/loop.h"
#include "spool/directory_file.h"
#include "spool/directory_owners.h"
#include "spool/directory_queue.h"
#include "spool/directory_watch.h"

namespace checkrelay::spool {

class DirectoryWorker : public std::enable_shared_from_this<DirectoryWorker> {
 public:
  struct Setup {
    std::string path{};
    Owners owners{};
    Duration rescan = std::chrono::seconds(30);
    std::size_t max_result = 64 * 1024;
  };
  // A turn's work, and how much may be under way.
  static constexpr std::size_t kEntriesAStep = 2000;  // some milliseconds of fstatat
  static constexpr std::size_t kFilesAStep = 64;
  static constexpr std::size_t kRejectsAStep = 4;  // each is some syncs
  static constexpr std::size_t kBytesAStep = 512 * 1024;
  static constexpr std::size_t kChunk = 64 * 1024;
  static constexpr std::size_t kMaxOpenFiles = 256;  // read, and waiting for their commit
  static constexpr std::size_t kMaxUnsettled = 256;  // chunks of all files
  static constexpr std::size_t kMaxOpenChunks = 16;  // of one file
  static constexpr std::size_t kMaxStuck =
      1000;  // read, but neither removed nor moved: then nothing new
  static constexpr std::size_t kMaxTold = 4096;  // names remembered as told
  static constexpr std::size_t kLarge = 1000;    // files from which on progress is logged
  static constexpr Duration kFirstHold = std::chrono::seconds(1);  // doubled each time
  static constexpr Duration kLongestHold = std::chrono::seconds(60);
  static constexpr Duration kMissingRetry = std::chrono::seconds(1);
  static constexpr Duration kProgressEvery = std::chrono::seconds(5);

  DirectoryWorker(Setup setup, Loop& loop,
                  Receiver& receiver);  // both must outlive it, until stop()
  ~DirectoryWorker();
  [[nodiscard]] Result<void> start();
  void wake();  // does a step at the end of this turn
  void stop();  // reads no more; what is under way still ends. Again = no-op
  [[nodiscard]] bool idle() const { return unsettled_ == 0; }
  [[nodiscard]] const std::string& path() const { return setup_.path; }

 private:
  using FilePtr = std::shared_ptr<FileInHand>;
  [[nodiscard]] Result<void> open_directory();
  [[nodiscard]] bool still_there() const;  // the path still leads to the directory that is open
  void reopen();
  void rescan();
  void begin_scan();

  void step();
  [[nodiscard]] bool may_read() const;
  void read_files();
  [[nodiscard]] FilePtr next_file();
  [[nodiscard]] FilePtr take_in(OpenFile file);
  [[nodiscard]] std::size_t read_chunk(const FilePtr& file);
  void end_of_file(const FilePtr& file);
  void perform(const FilePtr& file, Actions& actions);
  void settled(const FilePtr& file, Ticket ticket, const std::vector<Outcome>& outcomes);
  void conclude(const FilePtr& file);
  void finish(const FilePtr& file);
  void reject_some();
  [[nodiscard]] bool end(const FileInHand& file);  // removed or moved
  void put_back(const FileInHand& file);
  void retry_stuck();
  void hold();
  void tell_obstacle(const std::string& name, const Obstacle& obstacle);
  void tell_trouble(const std::string& name, const std::string& what);
  void tell_progress();

  Setup setup_;
  Loop& loop_;
  Receiver& receiver_;
  std::shared_ptr<Directory> directory_{};  // none while the path leads nowhere
  std::unique_ptr<DirectoryWatch> watch_{};
  DirectoryQueue queue_;
  DirectoryScan scan_{};
  Timer rescan_;
  Timer resume_;
  FilePtr current_{};  // being read
  std::deque<FilePtr>
      rejecting_{};               // their good results are safe; they wait for their turn to move
  std::vector<FilePtr> stuck_{};  // their results are safe; they could not be removed or moved yet
  std::size_t open_files_ = 0;    // read to their end, not concluded
  std::size_t unsettled_ = 0;     // submissions
  std::unordered_set<std::string> told_{};
  LogGate obstacle_gate_{};
  LogGate trouble_gate_{};
  LogGate rejected_gate_{};
  std::string buffer_ = std::string(kChunk, '\0');
  Duration hold_ = kFirstHold;
  bool holding_ = false;
  bool stopping_ = false;
  bool awake_ = false;
  bool scan_again_ = false;  // when there is nothing else to do
  std::size_t done_ = 0;     // files of this drain
  std::size_t done_since_scan_ = 0;
  bool draining_ = false;
  Steady next_progress_{};
};

}  // namespace checkrelay::spool
