// What a server of the agent's shape can do at best on this machine: one thread for its sockets,
// one that commits, the same acknowledgement after the sync, and nothing else: no result is parsed,
// checked, named, routed or checksummed; each line is a row.
#pragma once

#include <memory>
#include <string>

namespace checkrelay::bench {

class BareServer {
 public:
  explicit BareServer(const std::string& directory);  // for its socket and its database
  ~BareServer();
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

  [[nodiscard]] const std::string& socket() const;

 private:
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace checkrelay::bench
