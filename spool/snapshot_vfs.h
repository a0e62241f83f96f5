// A way for SQLite to look at a database without touching it: files are opened for reading alone,
// none is made, changed or removed, and no lock is taken or asked. The write-ahead log is read as
// far as it went when it was opened. Whoever may meet a writer asks Glance afterwards.
#pragma once

#include <sys/stat.h>

#include <string>

namespace checkrelay {

// The name for sqlite3_open_v2(); registers it on the first call. Any thread. A connection must
// say locking_mode=EXCLUSIVE before anything else, so that it asks for no shared memory.
[[nodiscard]] const char* snapshot_vfs();

// What a database's files look like: where they still do after reading, no writer was in between.
class Glance {
 public:
  explicit Glance(std::string path) : path_(std::move(path)) { look(); }
  void look();
  [[nodiscard]] bool still_so() const;  // new frames at the log's end do not count
  // The database was written so lately that another write might leave the same time stamp.
  [[nodiscard]] bool too_fresh() const;

 private:
  std::string path_;
  struct stat database_ {};
  std::string log_head_;
};

}  // namespace checkrelay
