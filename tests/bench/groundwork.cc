// How fast a backlog gets out in batches.
#include <fmt/format.h>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"
#include "tests/bench/sink.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kResults = 300'000;
constexpr double kPatienceSeconds = 60;

std::string destination(const std::string& url, std::size_t in_flight) {
  return fmt::format(
      "[[destination]]\nname = \"out\"\ntype = \"groundwork\"\nurl = \"{}\"\nusername = "
      "\"bench\"\npassword = \"bench\"\nspread = \"0s\"\nbatch_max = 500\nmax_in_flight = {}\n"
      "timeout = \"60s\"\n",
      url, in_flight);
}

struct Drained {
  double in = 0, out = 0;  // results a second
  double cpu_us = 0;       // a result, on its way out
};

// Everything is on disk before the sink answers the login.
Drained drain(const Setup& setup, Sink& sink, std::size_t in_flight, const Block& block) {
  sink.hold();
  Agent agent(setup.program, setup.agent_directory(), destination(sink.url(), in_flight));
  const std::uint64_t results = setup.scaled(kResults);
  const LoadReport load = run_load({.socket = agent.socket(), .results = results}, block);
  sink.expect(load.acknowledged);
  const double cpu = agent.process().cpu_seconds();
  const double began = seconds_now();
  sink.release();
  const std::uint64_t forwarded = sink.wait(kPatienceSeconds);
  const double took = seconds_now() - began;
  if (forwarded < load.acknowledged)
    give_up("{} of {} in {} s", forwarded, load.acknowledged, kPatienceSeconds);
  agent.wait_delivered(load.acknowledged, kPatienceSeconds);
  const auto count = static_cast<double>(forwarded);
  return {load.rate(), count / took, 1e6 * (agent.process().cpu_seconds() - cpu) / count};
}

std::vector<Row> forward(const Setup& setup, Row rate, std::size_t in_flight) {
  rate.unit = "results/s";
  rate.limit = "ingest while it was held";
  Row cpu{.name = rate.name + "_cpu", .title = "  CPU time a result", .unit = "us"};
  const Block block = make_block(Format::ndjson);
  Sink sink(answer_groundwork);
  for (int i = 0; i < setup.runs; ++i) {
    const Drained d = drain(setup, sink, in_flight, block);
    rate.measured.push_back(d.out);
    rate.limits.push_back(d.in);
    cpu.measured.push_back(d.cpu_us);
  }
  return {rate, cpu};
}

}  // namespace

std::vector<Row> forward_groundwork(const Setup& setup) {
  return forward(setup,
                 {.name = "groundwork_16",
                  .title = "drain to GroundWork, 500 a batch, 16 in flight",
                  .mark = Mark{.bound = 0.3, .enough = 100'000}},
                 16);
}

std::vector<Row> forward_groundwork_alone(const Setup& setup) {
  return forward(setup,
                 {.name = "groundwork_1",
                  .title = "drain to GroundWork, 500 a batch, 1 in flight",
                  .mark = Mark{.bound = 0.3, .enough = 100'000}},
                 1);
}

}  // namespace checkrelay::bench
