// What the agent costs where nothing happens, and what one call of a command costs.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "tests/bench/agent.h"
#include "tests/bench/load.h"
#include "tests/bench/measures.h"
#include "tests/bench/series.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kCalls = 50;

// A way in of each common kind, and a destination that needs an HTTP client as soon as something is
// sent.
std::string usual_sections(const std::string& directory) {
  return fmt::format(
      "[[intake]]\ntype = \"spool\"\npath = \"{}/spool\"\n[[intake]]\ntype = \"http\"\nlisten = "
      "\"127.0.0.1:0\"\n"
      "[[destination]]\nname = \"out\"\ntype = \"op5\"\nurl = \"http://127.0.0.1:9\"\n",
      directory);
}

double median_ms(std::uint64_t calls, const std::vector<std::string>& command) {
  std::vector<double> times;
  for (std::uint64_t i = 0; i < calls; ++i) times.push_back(1e3 * timed_command(command));
  return percentile(times, 0.5);
}

}  // namespace

std::vector<Row> idle(const Setup& setup) {
  Row start{.name = "start", .title = "start to ready, empty journal", .unit = "ms"};
  Row memory{.name = "idle_memory", .title = "idle: resident memory", .unit = "MiB"};
  Row wakeups{.name = "idle_wakeups", .title = "idle: voluntary context switches", .unit = "per s"};
  Row after{
      .name = "idle_memory_after", .title = "idle: memory once something was sent", .unit = "MiB"};
  start.mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 30};
  memory.mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 14};
  const Block block = make_block(Format::ndjson);
  double settle = setup.quick ? 0.1 : 1;
  double watched = setup.quick ? 0.5 : 4;
  for (int i = 0; i < setup.runs; ++i) {
    std::filesystem::create_directories(setup.directory + "/spool");
    Agent agent(setup.program, setup.agent_directory(), usual_sections(setup.directory));
    pause(settle);
    std::uint64_t before = agent.process().voluntary_switches();
    pause(watched);
    start.measured.push_back(1e3 * agent.start_seconds());
    memory.measured.push_back(agent.process().resident_mib());
    wakeups.measured.push_back(static_cast<double>(agent.process().voluntary_switches() - before) /
                               watched);
    (void)acknowledge_times(agent.socket(), 1, block);
    pause(settle);
    after.measured.push_back(agent.process().resident_mib());
  }
  return {start, memory, after, wakeups};
}

std::vector<Row> send_command(const Setup& setup) {
  Row least{.name = "send",
            .title = "checkrelay send, agent up",
            .unit = "ms",
            .limit = "smallest C client, same agent"};
  Row nothing{.name = "send_beside_true",
              .title = "checkrelay send, agent up",
              .unit = "ms",
              .limit = "/bin/true"};
  Row beyond{.name = "send_beyond",
             .title = "  beyond the smallest C client",
             .unit = "ms",
             .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 4}};
  least.mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 10};
  std::uint64_t calls = setup.quick ? 3 : kCalls;
  for (int i = 0; i < setup.runs; ++i) {
    Agent agent(setup.program, setup.agent_directory(),
                "[[destination]]\nname = \"out\"\ntype = \"discard\"\n");
    setenv("CHECKRELAY_SOCKET", agent.socket().c_str(), 1);
    double sent = median_ms(calls, {setup.program, "send", "--no-spool", "-H", "h", "-S", "s", "-s",
                                    "OK", "-m", "fine"});
    least.measured.push_back(sent);
    nothing.measured.push_back(sent);
    least.limits.push_back(median_ms(calls, {setup.client, agent.socket()}));
    nothing.limits.push_back(median_ms(calls, {"/bin/true"}));
    beyond.measured.push_back(std::max(sent - least.limits.back(), 0.01));
  }
  return {least, beyond, nothing};
}

std::vector<Row> exec_command(const Setup& setup) {
  const Mark mark{.of = Mark::Of::measured, .at_most = true, .bound = 5};
  Row up{.name = "exec_up",
         .title = "checkrelay exec -- /bin/true, agent up: beyond /bin/true",
         .unit = "ms",
         .mark = mark};
  Row down{.name = "exec_down", .title = "  agent down", .unit = "ms", .mark = mark};
  const std::uint64_t calls = setup.quick ? 3 : 4 * kCalls;
  const std::vector<std::string> job{setup.program, "exec", "-S", "s", "--", "/bin/true"};
  const std::string spool = setup.directory + "/spool";
  for (int i = 0; i < setup.runs; ++i) {
    Agent agent(setup.program, setup.agent_directory(),
                "[[destination]]\nname = \"out\"\ntype = \"discard\"\n");
    std::filesystem::create_directories(spool);
    setenv("CHECKRELAY_SPOOL", spool.c_str(), 1);
    setenv("CHECKRELAY_SOCKET", agent.socket().c_str(), 1);
    const double bare = median_ms(calls, {"/bin/true"});
    up.measured.push_back(std::max(median_ms(calls, job) - bare, 0.01));
    setenv("CHECKRELAY_SOCKET", (setup.directory + "/nobody.sock").c_str(), 1);
    down.measured.push_back(std::max(median_ms(calls, job) - bare, 0.01));
    std::filesystem::remove_all(spool);
  }
  return {up, down};
}

}  // namespace checkrelay::bench
