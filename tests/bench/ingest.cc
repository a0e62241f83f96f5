// How fast results get in: the agent's socket, its journal, and a destination that costs nothing.
#include "tests/bench/agent.h"
#include "tests/bench/limits.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kCrowdResults = 300'000;
constexpr std::uint64_t kLoneResults = 2'000;
constexpr std::uint64_t kRowsATransaction = 1'000;
constexpr const char* kDiscard =
    "[[destination]]\nname = \"out\"\ntype = \"discard\"\nbacklog = \"all\"\n";

Row ingest(const Setup& setup, Row row, Format format) {
  Block block = make_block(format);
  std::uint64_t results = setup.scaled(kCrowdResults);
  row.unit = "results/s";
  row.limit = "SQLite inserts, 1,000 a transaction";
  for (int i = 0; i < setup.runs; ++i) {
    {
      Agent agent(setup.program, setup.agent_directory(), kDiscard);
      row.measured.push_back(
          run_load({.socket = agent.socket(), .results = results}, block).rate());
    }
    row.limits.push_back(sqlite_inserts(setup.directory, results, kRowsATransaction));
  }
  return row;
}

void add_microseconds(Row& p50, Row& p99, std::vector<double> Row::*side,
                      const std::vector<double>& seconds) {
  (p50.*side).push_back(1e6 * percentile(seconds, 0.50));
  (p99.*side).push_back(1e6 * percentile(seconds, 0.99));
}

}  // namespace

std::vector<Row> ingest_ndjson(const Setup& setup) {
  return {ingest(setup,
                 {.name = "ingest_ndjson",
                  .title = "ingest, 8 connections, NDJSON",
                  .mark = Mark{.bound = 0.5}},
                 Format::ndjson)};
}

std::vector<Row> ingest_msgpack(const Setup& setup) {
  return {ingest(setup, {.name = "ingest_msgpack", .title = "ingest, 8 connections, MessagePack"},
                 Format::msgpack)};
}

std::vector<Row> lone_client(const Setup& setup) {
  Row p50{.name = "lone_ack_p50",
          .title = "lone client, acknowledge p50",
          .unit = "us",
          .limit = "fdatasync p50"};
  Row p99{.name = "lone_ack_p99",
          .title = "lone client, acknowledge p99",
          .unit = "us",
          .limit = "fdatasync p99"};
  p99.mark = Mark{.at_most = true, .bound = 3};
  Block block = make_block(Format::ndjson);
  std::uint64_t results = setup.scaled(kLoneResults);
  for (int i = 0; i < setup.runs; ++i) {
    {
      Agent agent(setup.program, setup.agent_directory(), kDiscard);
      add_microseconds(p50, p99, &Row::measured, acknowledge_times(agent.socket(), results, block));
    }
    add_microseconds(p50, p99, &Row::limits, sync_times(setup.directory, results));
  }
  return {p50, p99};
}

}  // namespace checkrelay::bench
