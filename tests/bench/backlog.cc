// What a long outage costs: ten million results wait, then they go.
#include <algorithm>
#include <filesystem>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"
#include "tests/bench/series.h"
#include "tests/bench/status.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kWaiting = 10'000'000;
constexpr std::uint64_t kProbe = 300'000;  // results of one measured load
constexpr std::uint64_t kSubjects = 1'000'000;
constexpr double kFillSeconds = 600;
constexpr double kDrainSeconds = 2;  // of one measured drain
constexpr double kGiveBackSeconds = 600;
constexpr std::string_view kRoom = "[limits]\nmax_queue = \"64GiB\"\n";

std::string parked() { return std::string(kRoom) + unreachable("out"); }
std::string open_sink() {
  return std::string(kRoom) +
         "[[destination]]\nname = \"out\"\ntype = \"discard\"\nbacklog = \"all\"\n";
}

double ingest_rate(const Agent& agent, const Block& block, std::uint64_t results) {
  return run_load({.socket = agent.socket(), .results = results}, block).rate();
}

void fill(const Agent& agent, const Block& block, std::uint64_t results) {
  auto report =
      run_load({.socket = agent.socket(), .results = results, .seconds = kFillSeconds}, block);
  if (report.acknowledged < results) give_up("only {} were taken", report.acknowledged);
}

double drain_rate(const Agent& agent, double seconds) {
  const std::uint64_t before = ask_status(agent.socket()).delivered;
  const double began = seconds_now();
  pause(seconds);
  const std::uint64_t after = ask_status(agent.socket()).delivered;
  // At least one, for the smallest of runs, which may have gone before one looks.
  return static_cast<double>(std::max<std::uint64_t>(after - before, 1)) / (seconds_now() - began);
}

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// Of the journal, once everything is delivered and its size is what it was a second before.
double settled_size(const Agent& agent, double seconds) {
  const double until = seconds_now() + seconds;
  AgentStatus before = ask_status(agent.socket());
  for (;;) {
    pause(1);
    const AgentStatus now = ask_status(agent.socket());
    if (now.pending == 0 && now.journal_bytes == before.journal_bytes)
      return mib(now.journal_bytes);
    if (seconds_now() > until) give_up("the backlog is not gone: {}", now.text);
    before = now;
  }
}

struct Rows {
  Row ingest{.name = "backlog_ingest",
             .title = "ingest with 10 million waiting",
             .unit = "results/s",
             .limit = "with none",
             .mark = Mark{.bound = 0.9}};
  Row drain{.name = "backlog_drain",
            .title = "drain with 10 million waiting",
            .unit = "results/s",
            .limit = "with few",
            .mark = Mark{.bound = 0.9}};
  Row both{.name = "drain_ingest",
           .title = "ingest while a destination drains",
           .unit = "results/s",
           .limit = "alone",
           .mark = Mark{.bound = 0.7}};
  Row start{.name = "backlog_start",
            .title = "start to ready, added by 10 million",
            .unit = "ms",
            .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 200}};
  Row memory{.name = "backlog_memory",
             .title = "memory added by 10 million waiting",
             .unit = "MiB",
             .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 16}};
  Row disk{.name = "backlog_disk",
           .title = "bytes on disk for each waiting result",
           .unit = "bytes",
           .limit = "its packed size",
           .mark = Mark{.at_most = true, .bound = 1.5}};
  Row given_back{.name = "backlog_given_back",
                 .title = "bytes left on disk after the drain",
                 .unit = "MiB",
                 .limit = "at the most"};
};

// Host, service, output of 200 bytes and an id, as a MessagePack array: spool/FORMAT.md.
constexpr double kPackedBytes = 1 + 1 + 37 + 10 + 12 + 1 + 202 + 1 + 9 + 9 + 1 + 1;

void with_few(const Setup& setup, const Block& block, Rows& rows) {
  for (int i = 0; i < setup.runs; ++i) {
    Agent agent(setup.program, setup.agent_directory(), parked());
    rows.ingest.limits.push_back(ingest_rate(agent, block, setup.scaled(kProbe)));
    rows.both.limits.push_back(rows.ingest.limits.back());
    fill(agent, block, setup.scaled(4 * kProbe));
    agent.restart(open_sink());
    rows.drain.limits.push_back(drain_rate(agent, setup.quick ? 0.01 : kDrainSeconds / 2));
  }
}

}  // namespace

std::vector<Row> backlog(const Setup& setup) {
  Rows rows;
  const Block block = make_block(Format::ndjson);
  with_few(setup, block, rows);
  Agent agent(setup.program, setup.agent_directory(), parked());
  fill(agent, block, setup.scaled(kProbe));  // what any load needs, backlog or not
  const double start = agent.start_seconds(), memory = agent.process().resident_mib();
  fill(agent, block, setup.scaled(kWaiting - kProbe));
  const AgentStatus full = ask_status(agent.socket());
  const double bytes = static_cast<double>(full.journal_bytes) / static_cast<double>(full.pending);
  const double added = agent.process().resident_mib() - memory;
  for (int i = 0; i < setup.runs; ++i) {
    rows.memory.measured.push_back(std::max(added, 0.1));
    rows.disk.measured.push_back(bytes);
    rows.disk.limits.push_back(kPackedBytes);
    rows.ingest.measured.push_back(ingest_rate(agent, block, setup.scaled(kProbe)));
  }
  for (int i = 0; i < setup.runs; ++i) {
    agent.restart(parked());
    rows.start.measured.push_back(1e3 * std::max(agent.start_seconds() - start, 1e-4));
  }
  agent.restart(open_sink());
  for (int i = 0; i < setup.runs; ++i) {
    rows.drain.measured.push_back(drain_rate(agent, setup.quick ? 0.01 : kDrainSeconds));
    rows.both.measured.push_back(ingest_rate(agent, block, setup.scaled(kProbe)));
  }
  const double left = settled_size(agent, kGiveBackSeconds);
  for (int i = 0; i < setup.runs; ++i) {
    rows.given_back.measured.push_back(left);
    rows.given_back.limits.push_back(mib(full.journal_bytes));
  }
  return {rows.ingest, rows.drain, rows.both, rows.start, rows.memory, rows.disk, rows.given_back};
}

std::vector<Row> subjects(const Setup& setup) {
  Row row{.name = "subjects_memory",
          .title = "memory added by 1 million waiting subjects, latest",
          .unit = "MiB",
          .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 96}};
  const std::size_t count = setup.scaled(kSubjects);
  const Block block = make_subjects(count);
  const std::string sections =
      "[[destination]]\nname = \"out\"\ntype = \"op5\"\nurl = \"http://127.0.0.1:9\"\nbacklog = "
      "\"latest\"\n";
  Agent agent(setup.program, setup.agent_directory(), sections);
  fill(agent, block, count / 50);
  const double before = agent.process().resident_mib();
  fill(agent, block, count);
  for (int i = 0; i < setup.runs; ++i)
    row.measured.push_back(std::max(agent.process().resident_mib() - before, 0.1));
  return {row};
}

}  // namespace checkrelay::bench
