// The table of what can be measured. A measure takes its limit in turn with the agent, run by run,
// so that a busy neighbour hits both.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/series.h"

namespace checkrelay::bench {

struct Setup {
  std::string program{};    // checkrelay
  std::string client{};     // checkrelay-bench-client
  std::string directory{};  // scratch, on the disk to be measured
  int runs = 5;
  bool quick = false;  // prove that it works; the numbers mean nothing
  [[nodiscard]] std::uint64_t scaled(std::uint64_t count) const {
    return quick ? count / 100 : count;
  }
  [[nodiscard]] std::string agent_directory() const { return directory + "/agent"; }
};

struct Measure {
  std::string_view name{};
  std::string_view what{};
  std::vector<Row> (*run)(const Setup&) = nullptr;
};
std::span<const Measure> measures();

std::vector<Row> ingest_ndjson(const Setup& setup);
std::vector<Row> ingest_msgpack(const Setup& setup);
std::vector<Row> crowd(const Setup& setup);
std::vector<Row> lone_client(const Setup& setup);
std::vector<Row> many_destinations(const Setup& setup);
std::vector<Row> backlog(const Setup& setup);
std::vector<Row> subjects(const Setup& setup);
std::vector<Row> spool_files(const Setup& setup);
std::vector<Row> spool_latency(const Setup& setup);
std::vector<Row> forward_op5(const Setup& setup);
std::vector<Row> forward_op5_alone(const Setup& setup);
std::vector<Row> forward_opsview(const Setup& setup);
std::vector<Row> forward_opsview_alone(const Setup& setup);
std::vector<Row> forward_groundwork(const Setup& setup);
std::vector<Row> forward_groundwork_alone(const Setup& setup);
std::vector<Row> end_to_end_file(const Setup& setup);
std::vector<Row> end_to_end_discard(const Setup& setup);
std::vector<Row> idle(const Setup& setup);
std::vector<Row> local_checks(const Setup& setup);
std::vector<Row> freshness(const Setup& setup);
std::vector<Row> freshness_agent(const Setup& setup);
std::vector<Row> send_command(const Setup& setup);
std::vector<Row> exec_command(const Setup& setup);

}  // namespace checkrelay::bench
