// Tells the agent that a run began and how it ended, or leaves that in the spool directory. The
// start never waits, the end at most kPatience for the agent. Blocking; one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/cli/client.h"

namespace checkrelay {

class RunReport {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(4);  // of 5 s; the disk has the rest

  RunReport(std::string socket, std::string spool_dir, std::string id);
  // `line` is a record as the agent's socket takes it. Written, not awaited.
  void announce(std::string line);
  // Where no agent was there to hear of the start, a file says it, unsynced: once the command runs.
  void leave_announcement();
  // Returns once the agent has `line` on its disk or a file has it, whose sync nobody waits for;
  // with the reason, for a person, where neither can be, else empty.
  [[nodiscard]] std::string deliver(const std::string& line);

 private:
  [[nodiscard]] bool send_announcement();
  void take_announcement_back();
  [[nodiscard]] Result<std::string> offer(const std::string& line, Steady deadline);
  [[nodiscard]] Result<std::string> talk(const std::string& line, Steady deadline);

  std::string socket_;
  std::string spool_dir_;
  std::string id_;
  std::string announcement_{};  // not told to the agent yet
  bool left_ = false;           // in the spool directory
  bool owed_ = false;           // the reply to the announcement, on this connection
  std::optional<AgentSocket> agent_{};
};

}  // namespace checkrelay
