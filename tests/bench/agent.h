// The real program, as a user runs it: `checkrelay run` with a written configuration and a fresh
// state directory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/process.h"
#include "tests/bench/status.h"

namespace checkrelay::bench {

// Of every agent that has ended: the longest turn of its loop, seconds.
double longest_turn_seen();

// A destination that keeps every result, since nothing listens at its address.
std::string unreachable(const std::string& name);

class Agent {
 public:
  // Returns when it has said that it is ready (sd_notify). `directory` must not exist; it is
  // removed with this object. `sections`: what the configuration has besides [agent] and [log].
  Agent(const std::string& program, std::string directory, const std::string& sections);
  ~Agent();  // stops it, and gives up unless it ends well
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Stops it and starts it again on the same state, with other sections.
  void restart(const std::string& sections);

  [[nodiscard]] std::string socket() const { return directory_ + "/socket"; }
  [[nodiscard]] const Child& process() const { return *process_; }
  [[nodiscard]] double start_seconds() const { return start_seconds_; }  // until ready
  // Until so many results are delivered; gives up where one is dead or it takes longer.
  void wait_delivered(std::uint64_t count, double seconds) const;

 private:
  void start();
  void stop();
  void write_config(const std::string& sections) const;
  void wait_ready(int notify) const;
  [[noreturn]] void failed(const std::string& why) const;  // with the end of its log

  std::string program_;
  std::string directory_;
  std::unique_ptr<Child> process_;
  double start_seconds_ = 0;
};

}  // namespace checkrelay::bench
