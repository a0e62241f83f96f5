// A small file of the state directory that is replaced as a whole. Writing is done, and synced,
// by libuv's pool: the loop does not wait for the disk. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "agent/base/result.h"

namespace checkrelay {

class Loop;

class StateFile {
 public:
  StateFile(Loop& loop, std::string path);  // `loop` must outlive it; touches nothing
  ~StateFile();                             // what is being written is; what waits behind it is not
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // Blocks. Empty where there is no such file. unavailable: the system's reason; corrupt: longer
  // than `limit` bytes.
  [[nodiscard]] Result<std::string> read(std::size_t limit) const;
  // Of several while one is being written the last counts. Failures are logged, once until it
  // works again, and leave the file as it was.
  void write(std::string bytes);

 private:
  struct Desk;
  std::shared_ptr<Desk> desk_;
};

}  // namespace checkrelay
