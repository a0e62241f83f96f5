// A program under measurement, and what /proc knows of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace checkrelay::bench {

// Killed, if need be, and reaped with this object; killed too when the benchmark itself dies. Start
// it on the main thread: the kernel ties its life to the thread that started it.
class Child {
 public:
  // `environment`: NAME=VALUE, in front of our own. Output goes to the file `log`.
  Child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
        const std::string& log);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int handle() const { return handle_; }  // readable once it has ended
  int stop(double seconds);                             // SIGTERM; its wait status

  [[nodiscard]] double cpu_seconds() const;  // user and system, all threads
  [[nodiscard]] double resident_mib() const;
  [[nodiscard]] std::uint64_t voluntary_switches() const;  // all threads

 private:
  int reap();
  pid_t pid_ = -1;
  int handle_ = -1;
};

// Wall seconds of one call to its end. Gives up unless it exits 0.
double timed_command(const std::vector<std::string>& arguments);

}  // namespace checkrelay::bench
