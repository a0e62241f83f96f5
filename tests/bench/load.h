// Producers on a unix socket. Every reply line is read and must be an "ok": what is counted is on
// disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/results.h"

namespace checkrelay::bench {

struct Load {
  std::string socket{};
  std::size_t connections = 8;
  std::uint64_t results = 0;    // by all connections together
  std::uint64_t window = 1000;  // results that a connection has sent and not heard of
  double seconds = 15;          // after that nothing more is sent
};

struct LoadReport {
  std::uint64_t acknowledged = 0;
  double seconds = 0;  // until the last reply
  [[nodiscard]] double rate() const { return static_cast<double>(acknowledged) / seconds; }
};
LoadReport run_load(const Load& load, const Block& block);

// One connection, one result at a time: seconds from its write to its "ok", for each.
std::vector<double> acknowledge_times(const std::string& socket, std::uint64_t results,
                                      const Block& block);

}  // namespace checkrelay::bench
