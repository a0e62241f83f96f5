// How fast results get in: the agent's socket and its journal. They wait for a destination that is
// down, but where a row says that one takes them meanwhile.
#include <fmt/format.h>

#include <numeric>

#include "tests/bench/agent.h"
#include "tests/bench/bare_server.h"
#include "tests/bench/limits.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kCrowdResults = 300'000;
constexpr std::uint64_t kLoneResults = 2'000;
constexpr std::uint64_t kRowsATransaction = 1'000;

Row ingest(const Setup& setup, Row row, Format format) {
  Block block = make_block(format);
  std::uint64_t results = setup.scaled(kCrowdResults);
  row.unit = "results/s";
  row.limit = "SQLite inserts, 1,000 a transaction";
  for (int i = 0; i < setup.runs; ++i) {
    {
      Agent agent(setup.program, setup.agent_directory(), unreachable("out"));
      row.measured.push_back(
          run_load({.socket = agent.socket(), .results = results}, block).rate());
    }
    row.limits.push_back(sqlite_inserts(setup.directory, results, kRowsATransaction));
  }
  return row;
}

constexpr const char* kDiscard =
    "[[destination]]\nname = \"out\"\ntype = \"discard\"\nbacklog = \"all\"\n";

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
                  .mark = Mark{.bound = 0.6}},
                 Format::ndjson)};
}

std::vector<Row> ingest_msgpack(const Setup& setup) {
  return {ingest(setup,
                 {.name = "ingest_msgpack",
                  .title = "ingest, 8 connections, MessagePack",
                  .mark = Mark{.bound = 0.8}},
                 Format::msgpack)};
}

std::vector<Row> crowd(const Setup& setup) {
  Row row{.name = "crowd",
          .title = "ingest, 64 clients, one outstanding each",
          .unit = "results/s",
          .limit = "SQLite inserts, 64 a transaction",
          .mark = Mark{.bound = 0.5}};
  Row taken = row, bare = row;
  taken.name = "crowd_taken";
  taken.title = "  while a destination takes them";
  bare.name = "crowd_bare";
  bare.title = "  a bare server";
  taken.mark = bare.mark = std::nullopt;
  Block block = make_block(Format::ndjson);
  std::uint64_t results = setup.scaled(kCrowdResults / 3);
  const auto rate = [&](const std::string& socket) {
    return run_load({.socket = socket, .connections = 64, .results = results, .window = 1}, block)
        .rate();
  };
  const auto agents_rate = [&](const std::string& sections) {
    return rate(Agent(setup.program, setup.agent_directory(), sections).socket());
  };
  for (int i = 0; i < setup.runs; ++i) {
    row.measured.push_back(agents_rate(unreachable("out")));
    row.limits.push_back(sqlite_inserts(setup.directory, results, 64));
    taken.measured.push_back(agents_rate(kDiscard));
    bare.measured.push_back(rate(BareServer(setup.directory).socket()));
  }
  bare.limits = taken.limits = row.limits;
  return {row, taken, bare};
}

std::vector<Row> lone_client(const Setup& setup) {
  Row rate{.name = "lone_rate",
           .title = "lone client, one outstanding: rate",
           .unit = "results/s",
           .limit = "SQLite inserts, one a transaction",
           .mark = Mark{.bound = 0.8}};
  Row bare_rate{
      .name = "lone_bare", .title = "  a bare server", .unit = "results/s", .limit = rate.limit};
  Row p50{.name = "lone_ack_p50", .title = "  acknowledge p50", .unit = "us", .limit = "its p50"};
  Row p99{.name = "lone_ack_p99",
          .title = "  acknowledge p99",
          .unit = "us",
          .limit = "its p99",
          .mark = Mark{.at_most = true, .bound = 1.5}};
  Row sync{.name = "lone_ack_sync_p99",
           .title = "  acknowledge p99",
           .unit = "us",
           .limit = "fdatasync p99",
           .mark = Mark{.at_most = true, .bound = 3}};
  Row bare_p50 = p50, bare_p99 = p99, taken_p50 = p50, taken_p99 = p99;
  bare_p50.name = "lone_bare_p50";
  bare_p50.title = "  a bare server: p50";
  bare_p99.name = "lone_bare_p99";
  bare_p99.title = "  a bare server: p99";
  taken_p50.name = "lone_taken_p50";
  taken_p50.title = "  p50 while a destination takes them";
  taken_p99.name = "lone_taken_p99";
  taken_p99.title = "  p99 while a destination takes them";
  bare_p99.mark = taken_p99.mark = std::nullopt;
  Block block = make_block(Format::ndjson);
  std::uint64_t results = setup.scaled(kLoneResults);
  const auto agents_times = [&](const std::string& sections) {
    Agent agent(setup.program, setup.agent_directory(), sections);
    return acknowledge_times(agent.socket(), results, block);
  };
  const auto per_second = [](const std::vector<double>& times) {
    return static_cast<double>(times.size()) / std::accumulate(times.begin(), times.end(), 0.0);
  };
  for (int i = 0; i < setup.runs; ++i) {
    const auto ours = agents_times(unreachable("out"));
    const auto rows = sqlite_commit_times(setup.directory, results);
    const auto syncs = sync_times(setup.directory, results);
    const auto taken = agents_times(kDiscard);
    const auto bare = acknowledge_times(BareServer(setup.directory).socket(), results, block);
    rate.measured.push_back(per_second(ours));
    rate.limits.push_back(per_second(rows));
    bare_rate.measured.push_back(per_second(bare));
    add_microseconds(p50, p99, &Row::measured, ours);
    add_microseconds(p50, p99, &Row::limits, rows);
    add_microseconds(taken_p50, taken_p99, &Row::measured, taken);
    add_microseconds(bare_p50, bare_p99, &Row::measured, bare);
    sync.measured.push_back(1e6 * percentile(ours, 0.99));
    sync.limits.push_back(1e6 * percentile(syncs, 0.99));
  }
  bare_rate.limits = rate.limits;
  bare_p50.limits = taken_p50.limits = p50.limits;
  bare_p99.limits = taken_p99.limits = p99.limits;
  return {rate, bare_rate, p50, bare_p50, p99, bare_p99, sync, taken_p50, taken_p99};
}

std::vector<Row> many_destinations(const Setup& setup) {
  Row row{.name = "destinations",
          .title = "ingest for 16 destinations that are down",
          .unit = "results/s",
          .limit = "for one",
          .mark = Mark{.bound = 0.9}};
  Block block = make_block(Format::ndjson);
  std::uint64_t results = setup.scaled(kCrowdResults);
  const auto measured = [&](int destinations) {
    std::string sections;
    for (int i = 0; i < destinations; ++i) sections += unreachable(fmt::format("out{}", i));
    Agent agent(setup.program, setup.agent_directory(), sections);
    return run_load({.socket = agent.socket(), .results = results}, block).rate();
  };
  for (int i = 0; i < setup.runs; ++i) {
    row.measured.push_back(measured(16));
    row.limits.push_back(measured(1));
  }
  return {row};
}

}  // namespace checkrelay::bench
