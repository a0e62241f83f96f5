// Who has not reported: the engine by itself, with a million subjects, and the same in the program.
#include "agent/policy/freshness.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"

namespace checkrelay::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSubjects = 1'000'000;
constexpr std::uint64_t kDue = 10'000;  // in one second
constexpr std::size_t kStep = 1000;     // pieces of work in a turn
constexpr Second kBegin = 1'780'000'000;
constexpr std::size_t kConnections = 8;
constexpr double kPatienceSeconds = 60;

Mark at_most(double bound) { return {.of = Mark::Of::measured, .at_most = true, .bound = bound}; }

double ms_since(double began) { return 1e3 * (seconds_now() - began); }

std::size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// A hundred a host; due times are spread so that 10,000 share a second.
std::vector<FreshnessRecord> records(std::uint64_t subjects) {
  std::vector<FreshnessRecord> all(subjects);
  for (std::size_t i = 0; i < all.size(); ++i) {
    FreshnessRecord& r = all[i];
    r.subject = {fmt::format("host{:05}", i / 100), fmt::format("svc{:02}", i % 100)};
    r.standing.seen = r.standing.base = r.standing.heard = kBegin - static_cast<Second>(i / kDue);
    r.standing.reported = true;
  }
  return all;
}

std::size_t bytes_of_names(const std::vector<FreshnessRecord>& all) {
  std::size_t sum = 0;
  for (const FreshnessRecord& r : all) sum += r.subject.host.size() + r.subject.service.size();
  return sum;
}

FreshnessEntry entry() {
  FreshnessEntry e{.service = "*"};
  e.promise.every = 10min;
  e.promise.grace = 1min;
  return e;
}

struct Turns {
  double longest_ms = 0;
  std::size_t news = 0;
};
Turns work(Freshness& engine, Instant now) {
  Turns turns;
  std::vector<FreshnessNews> news;
  for (bool more = true; more;) {
    const double began = seconds_now();
    news.clear();
    more = engine.step(now, kStep, {}, news);
    turns.longest_ms = std::max(turns.longest_ms, ms_since(began));
    turns.news += news.size();
  }
  return turns;
}

struct Engine {
  double start_s = 0, sweep_ms = 0, bytes = 0, report_ns = 0, turn_ms = 0;
};

Engine measure_engine(const std::vector<FreshnessRecord>& kept) {
  Engine out;
  const auto count = static_cast<double>(kept.size());
  const std::size_t names = bytes_of_names(kept), before = allocated();
  Instant now{Steady(1s), Wall(std::chrono::seconds(kBegin))};
  double began = seconds_now();
  Freshness engine({entry()});
  for (std::size_t i = 0; i < kept.size(); ++i)
    engine.restore(static_cast<Freshness::Id>(i), kept[i]);
  engine.start(now);
  out.start_s = seconds_now() - began;

  began = seconds_now();
  (void)work(engine, now);
  out.sweep_ms = ms_since(began);
  out.bytes = static_cast<double>(allocated() - before - names) / count;

  began = seconds_now();
  for (const FreshnessRecord& r : kept)
    (void)engine.report({r.subject.host, r.subject.service, {}, {}, {}}, now);
  out.report_ns = 1e6 * ms_since(began) / count;

  const auto away = entry().promise.every + entry().promise.grace + 1s;
  now = {now.steady + away, now.wall + away};
  const Turns turns = work(engine, now);
  if (turns.news != kept.size()) give_up("{} of {} are overdue", turns.news, kept.size());
  out.turn_ms = turns.longest_ms;
  return out;
}

std::string sections(const std::string& every) {
  return fmt::format(
      "[[destination]]\nname = \"out\"\ntype = \"discard\"\n"
      "[[freshness]]\nevery = \"{}\"\nsettle = \"0s\"\n",
      every);
}

double longest_turn_ms(const Agent& agent) {
  return 1e3 * ask_metric(agent.socket(), "checkrelay_longest_turn_seconds");
}

// Each subject once. REQUIRES: as many for each connection.
void report_all(const Agent& agent, std::uint64_t subjects) {
  const Block block = make_subjects(subjects);
  const LoadReport load = run_load({.socket = agent.socket(),
                                    .connections = kConnections,
                                    .results = subjects,
                                    .seconds = kPatienceSeconds},
                                   block);
  if (load.acknowledged != subjects) give_up("{} of {} sent", load.acknowledged, subjects);
}

}  // namespace

std::vector<Row> freshness(const Setup& setup) {
  Row start{.name = "freshness_start",
            .title = "freshness engine, 1 million subjects: start",
            .unit = "s",
            .mark = at_most(2)};
  Row sweep{.name = "freshness_sweep", .title = "  first look at all", .unit = "ms"};
  Row memory{.name = "freshness_memory",
             .title = "  memory a subject beside its name",
             .unit = "bytes",
             .mark = at_most(120)};
  Row report{.name = "freshness_report", .title = "  a report", .unit = "ns"};
  Row turn{.name = "freshness_turn",
           .title = "  all overdue at once: longest turn",
           .unit = "ms",
           .mark = at_most(20)};
  const std::vector<FreshnessRecord> kept = records(setup.scaled(kSubjects));
  for (int i = 0; i < setup.runs; ++i) {
    const Engine e = measure_engine(kept);
    start.measured.push_back(e.start_s);
    sweep.measured.push_back(e.sweep_ms);
    memory.measured.push_back(e.bytes);
    report.measured.push_back(e.report_ns);
    turn.measured.push_back(e.turn_ms);
  }
  return {start, sweep, memory, report, turn};
}

std::vector<Row> freshness_agent(const Setup& setup) {
  Row rate{.name = "freshness_agent_ingest",
           .title = "agent that watches: 1 million new subjects",
           .unit = "results/s"};
  Row start{.name = "freshness_agent_start",
            .title = "  start to ready with them",
            .unit = "s",
            .mark = at_most(2)};
  Row learned{.name = "freshness_agent_learn_turn",
              .title = "  longest turn while they came",
              .unit = "ms"};
  Row started{.name = "freshness_agent_start_turn",
              .title = "  longest turn at the start with them",
              .unit = "ms"};
  Row memory{.name = "freshness_agent_memory", .title = "  resident memory then", .unit = "MiB"};
  Row due{.name = "freshness_agent_turn",
          .title = "  10,000 overdue in one second: longest turn",
          .unit = "ms",
          .mark = at_most(20)};
  for (int i = 0; i < setup.runs; ++i) {
    const std::uint64_t subjects = setup.scaled(kSubjects);
    const std::uint64_t overdue = setup.scaled(kDue) / kConnections * kConnections;
    {
      Agent agent(setup.program, setup.agent_directory(), sections("24h"));
      const double began = seconds_now();
      report_all(agent, subjects);
      rate.measured.push_back(static_cast<double>(subjects) / (seconds_now() - began));
      learned.measured.push_back(longest_turn_ms(agent));
      agent.restart(sections("24h"));
      start.measured.push_back(agent.start_seconds());
      started.measured.push_back(longest_turn_ms(agent));
      memory.measured.push_back(agent.process().resident_mib());
    }
    Agent agent(setup.program, setup.agent_directory(), sections("3s"));
    report_all(agent, overdue);
    agent.wait_delivered(2 * overdue, kPatienceSeconds);  // what came, and what did not
    due.measured.push_back(longest_turn_ms(agent));
  }
  return {rate, learned, start, started, memory, due};
}

}  // namespace checkrelay::bench
