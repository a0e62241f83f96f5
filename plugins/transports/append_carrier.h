// Framing::append: each bytes Message is appended to the file of option `path` and synced, in the
// uv thread pool, one at a time and in order; then an empty bytes Message is the answer, or
// failure{io}. A Message is whole lines.
//
// The file is made where missing (0640; its directory is synced, too) and reopened when it was
// renamed or removed, so that log rotation needs no signal. What a failed write (a full disk) or a
// crash left of a line is cut off again, so that a torn line is never followed by another. Writers
// hold a flock, so that several may share a file. Only a regular file is written to. A write under
// way outlives the carrier, its result is then dropped.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/port/option.h"
#include "agent/port/transport.h"

namespace checkrelay {

class Loop;
[[nodiscard]] std::span<const OptionRow> append_carrier_options();
[[nodiscard]] Result<std::unique_ptr<Carrier>> make_append_carrier(const Options& options,
                                                                   Loop& loop);

// The blocking half, for one file. Any one thread at a time.
class AppendFile {
 public:
  explicit AppendFile(std::string path) : path_(std::move(path)) {}
  ~AppendFile() { close(); }
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  // Success: all of `lines` is at the end of the file, and synced. Failure: none of it is, as far
  // as the disk obeys.
  [[nodiscard]] Result<void> append(std::string_view lines);

 private:
  [[nodiscard]] Result<void> open_current();
  [[nodiscard]] Result<void> open_new();
  [[nodiscard]] Result<void> write_locked(std::string_view lines);
  [[nodiscard]] Result<void> cut_torn_line(std::string_view beginning);
  [[nodiscard]] bool is_current() const;
  void close();
  std::string path_;
  int fd_ = -1;
};

}  // namespace checkrelay
