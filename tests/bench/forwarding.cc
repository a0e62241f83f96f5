// How fast results get out, and through.
#include <fmt/format.h>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/limits.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"
#include "tests/bench/sink.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kForwards = 30'000, kLoneForwards = 10'000;
constexpr std::uint64_t kThroughResults = 200'000;
constexpr std::uint64_t kRowsATransaction = 1'000;
constexpr double kDrainSeconds = 60;
constexpr double kForwardSeconds = 6;  // a slow drain is measured as far as it gets

// Opsview's objects are looked up before their first result, which counts against us: so many.
constexpr std::size_t kOpsviewObjects = 1'000;

// A server that takes one result a request.
struct System {
  std::string_view type{};
  Responder respond{};
  Post post{};
  Block block{};
};

System op5() { return {"op5", answer_op5, op5_post(), make_block(Format::ndjson)}; }
System opsview() {
  return {"opsview", answer_opsview, opsview_post(), make_subjects(kOpsviewObjects)};
}

std::string destination(const System& system, const std::string& url, std::size_t in_flight) {
  return fmt::format(
      "[[destination]]\nname = \"out\"\ntype = \"{}\"\nurl = \"{}\"\nusername = "
      "\"bench\"\npassword = \"bench\"\n"
      "backlog = \"all\"\nrate = 0\nspread = \"0s\"\nmax_in_flight = {}\ntimeout = \"60s\"\n",
      system.type, url, in_flight);
}

// The whole backlog is on disk before the sink answers the first request.
double drain_rate(const Setup& setup, const System& system, Sink& sink, std::size_t in_flight,
                  std::uint64_t results) {
  sink.hold();
  Agent agent(setup.program, setup.agent_directory(), destination(system, sink.url(), in_flight));
  run_load({.socket = agent.socket(), .results = results}, system.block);
  sink.expect(results);
  double began = seconds_now();
  sink.release();
  std::uint64_t forwarded = sink.wait(kForwardSeconds);
  double took = seconds_now() - began;
  if (forwarded == 0) give_up("nothing was forwarded in {} s", kForwardSeconds);
  if (forwarded == results) agent.wait_delivered(results, kDrainSeconds);
  return static_cast<double>(forwarded) / took;
}

Row forward(const Setup& setup, const System& system, Row row, std::size_t in_flight,
            std::uint64_t results) {
  Sink sink(system.respond);
  row.unit = "results/s";
  for (int i = 0; i < setup.runs; ++i) {
    row.measured.push_back(drain_rate(setup, system, sink, in_flight, results));
    row.limits.push_back(curl_forwards(sink.url(), system.post, in_flight, results));
  }
  return row;
}

struct Through {
  double rate = 0;
  double cpu_us = 0;  // a result
};

Through through(const Setup& setup, const std::string& destination, std::uint64_t results,
                const Block& block) {
  Agent agent(setup.program, setup.agent_directory(), destination);
  double cpu = agent.process().cpu_seconds();
  double began = seconds_now();
  LoadReport report = run_load({.socket = agent.socket(), .results = results}, block);
  agent.wait_delivered(report.acknowledged, kDrainSeconds);
  auto count = static_cast<double>(report.acknowledged);
  return {count / (seconds_now() - began), 1e6 * (agent.process().cpu_seconds() - cpu) / count};
}

std::vector<Row> end_to_end(const Setup& setup, const std::string& name,
                            const std::string& destination) {
  Row rate{.name = name + "_rate",
           .title = "end to end into " + name,
           .unit = "results/s",
           .limit = "SQLite insert, select, delete by 1,000",
           .mark = Mark{.bound = 0.4}};
  Row cpu{.name = name + "_cpu",
          .title = "  CPU time a result",
          .unit = "us",
          .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 8}};
  Block block = make_block(Format::ndjson);
  std::uint64_t results = setup.scaled(kThroughResults);
  for (int i = 0; i < setup.runs; ++i) {
    Through t = through(setup, destination, results, block);
    rate.measured.push_back(t.rate);
    cpu.measured.push_back(t.cpu_us);
    rate.limits.push_back(sqlite_cycle(setup.directory, results, kRowsATransaction));
  }
  return {rate, cpu};
}

}  // namespace

std::vector<Row> forward_op5(const Setup& setup) {
  Row row{.name = "op5_16",
          .title = "drain to OP5, 16 in flight",
          .limit = "bare libcurl-multi loop, 16 handles",
          .mark = Mark{.bound = 0.6}};
  return {forward(setup, op5(), row, 16, setup.scaled(kForwards))};
}

std::vector<Row> forward_op5_alone(const Setup& setup) {
  Row row{.name = "op5_1",
          .title = "drain to OP5, 1 in flight",
          .limit = "bare libcurl-multi loop, 1 handle"};
  return {forward(setup, op5(), row, 1, setup.scaled(kLoneForwards))};
}

std::vector<Row> forward_opsview(const Setup& setup) {
  Row row{.name = "opsview_16",
          .title = "drain to Opsview, 16 in flight",
          .limit = "bare libcurl-multi loop, 16 handles",
          .mark = Mark{.bound = 0.6}};
  return {forward(setup, opsview(), row, 16, setup.scaled(kForwards))};
}

std::vector<Row> forward_opsview_alone(const Setup& setup) {
  Row row{.name = "opsview_1",
          .title = "drain to Opsview, 1 in flight",
          .limit = "bare libcurl-multi loop, 1 handle"};
  return {forward(setup, opsview(), row, 1, setup.scaled(kLoneForwards))};
}

std::vector<Row> end_to_end_file(const Setup& setup) {
  return end_to_end(setup, "file",
                    fmt::format("[[destination]]\nname = \"out\"\ntype = \"file\"\nbacklog = "
                                "\"all\"\npath = \"{}/out\"\n",
                                setup.agent_directory()));
}

std::vector<Row> end_to_end_discard(const Setup& setup) {
  return end_to_end(setup, "discard",
                    "[[destination]]\nname = \"out\"\ntype = \"discard\"\nbacklog = \"all\"\n");
}

}  // namespace checkrelay::bench
