// What the running agent says of itself, asked over its own socket.
#pragma once

#include <cstdint>
#include <string>

namespace checkrelay::bench {

struct AgentStatus {
  std::uint64_t accepted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dead = 0;
  std::uint64_t pending = 0;
  std::uint64_t journal_bytes = 0;
  std::string text{};  // as it was answered
};
// GET /v1/status, summed over intakes and destinations.
AgentStatus ask_status(const std::string& socket);

double ask_metric(const std::string& socket, const std::string& name);  // one without labels

}  // namespace checkrelay::bench
