// What a server of the agent's shape does on this machine with nothing to do: a thread for its
// sockets, one that commits what came meanwhile as one row, and the same acknowledgement after the
// sync. No result is parsed, checked, named, routed or checksummed.
#pragma once

#include <sys/types.h>

#include <string>

namespace checkrelay::bench {

class BareServer {
 public:
  // A process of its own; its socket and its database are in `directory`. Make it while no thread
  // runs.
  explicit BareServer(const std::string& directory);
  ~BareServer();
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

  [[nodiscard]] const std::string& socket() const { return path_; }

 private:
  std::string path_;
  std::string database_;
  pid_t pid_ = -1;
};

}  // namespace checkrelay::bench
