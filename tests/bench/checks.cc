// Plugins that the agent runs on its own clock: ten times as often as a thousand checks of a
// minute.
#include <fmt/format.h>

#include <algorithm>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/measures.h"
#include "tests/bench/series.h"

namespace checkrelay::bench {
namespace {

constexpr double kEvery = 6;  // seconds

std::string sections(std::uint64_t checks) {
  std::string out = "[[destination]]\nname = \"out\"\ntype = \"discard\"\n";
  for (std::uint64_t n = 0; n < checks; ++n)
    out += fmt::format(
        "[[check]]\nservice = \"s{}\"\ncommand = [\"/bin/echo\", \"fine|a=1\"]\nevery = "
        "\"{}s\"\n",
        n, kEvery);
  return out;
}

}  // namespace

std::vector<Row> local_checks(const Setup& setup) {
  Row rate{.name = "checks_rate", .title = "1,000 checks every 6 s: runs", .unit = "runs/s"};
  Row late{.name = "checks_late", .title = "  the latest begin of all", .unit = "ms"};
  Row turn{.name = "checks_turn", .title = "  longest turn of the loop", .unit = "ms"};
  Row cpu{.name = "checks_cpu", .title = "  CPU of the agent alone", .unit = "us a run"};
  Row memory{.name = "checks_memory", .title = "  resident memory", .unit = "MiB"};
  late.mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 1000};
  const std::uint64_t checks = setup.scaled(1000);
  const double watched = setup.quick ? 0.5 : 60;
  for (int i = 0; i < setup.runs; ++i) {
    Agent agent(setup.program, setup.agent_directory(), sections(checks));
    if (!setup.quick) pause(kEvery);  // each has begun once
    auto metric = [&](const char* name) { return ask_metric(agent.socket(), name); };
    const double runs = metric("checkrelay_check_runs_total");
    const double busy = agent.process().cpu_seconds();
    const double begin = seconds_now();
    double more = 0;
    do {
      pause(watched);
      more = metric("checkrelay_check_runs_total") - runs;
    } while (more == 0 && seconds_now() - begin < 2 * kEvery);
    rate.measured.push_back(more / (seconds_now() - begin));
    cpu.measured.push_back(1e6 * (agent.process().cpu_seconds() - busy) / std::max(more, 1.0));
    late.measured.push_back(1e3 * metric("checkrelay_check_worst_late_seconds"));
    turn.measured.push_back(1e3 * metric("checkrelay_longest_turn_seconds"));
    memory.measured.push_back(agent.process().resident_mib());
    if (metric("checkrelay_check_skipped_total") > 0) give_up("a check was left out");
  }
  return {rate, late, turn, cpu, memory};
}

}  // namespace checkrelay::bench
