#include "agent/cli/exec.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "agent/cli/cli.h"
#include "agent/cli/given.h"
#include "agent/cli/job.h"
#include "agent/cli/job_lock.h"
#include "agent/cli/run_report.h"
#include "agent/policy/admission.h"

namespace checkrelay {
namespace {

constexpr std::size_t kTail = 4096;  // bytes; what every server of the family takes
constexpr long long kMostTries = 1000;

void say(const std::string& text) { std::fprintf(stderr, "checkrelay exec: %s\n", text.c_str()); }

struct Plan {
  JobOptions job{};
  RunLimits limits{};
  StateMap map{};
  std::string lock{};
  int retry = 0;
  Duration retry_wait = std::chrono::seconds(1);
  Duration ttl{};
};

Result<void> read_duration(const Arguments& arguments, const char* name, Duration& into) {
  if (!arguments.has(name)) return {};
  auto d = parse_duration(arguments.text(name));
  if (!d) return fail(Errc::invalid, fmt::format("--{}: {}", name, d.error().what));
  into = *d;
  return {};
}

Result<void> read_durations(const Arguments& arguments, Plan& plan) {
  const std::pair<const char*, Duration*> rows[] = {{"timeout", &plan.limits.timeout},
                                                    {"kill-after", &plan.job.grace},
                                                    {"warn-after", &plan.limits.warn_after},
                                                    {"crit-after", &plan.limits.crit_after},
                                                    {"retry-wait", &plan.retry_wait}};
  for (const auto& [name, into] : rows)
    if (auto ok = read_duration(arguments, name, *into); !ok) return ok;
  plan.job.timeout = plan.limits.timeout;
  if (!arguments.has("ttl")) return {};
  auto ttl = read_ttl(arguments.text("ttl"));
  if (!ttl) return fail(Errc::invalid, "--ttl: " + ttl.error().what);
  plan.ttl = *ttl;
  return {};
}

// A fault in a name would be known only after the run.
Result<void> check_names(const Arguments& arguments) {
  if (arguments.text("service").empty()) return fail(Errc::invalid, "-S SERVICE is missing");
  if (auto ok = check_name("service", arguments.text("service")); !ok) return ok;
  if (arguments.has("host") && arguments.text("host").empty())
    return fail(Errc::invalid, "host: empty");
  if (auto ok = check_name("host", arguments.text("host")); !ok) return ok;
  if (!arguments.has("lock")) return {};
  const std::size_t size = arguments.text("lock").size();
  if (size >= 1 && size <= JobLock::kMaxName) return {};
  return fail(Errc::invalid, fmt::format("--lock: {} bytes, not 1-{}", size, JobLock::kMaxName));
}

Result<Plan> read_plan(const Arguments& arguments) {
  Plan plan;
  if (auto ok = check_names(arguments); !ok) return tl::unexpected<Error>(ok.error());
  if (arguments.rest.empty()) return fail(Errc::invalid, "COMMAND is missing");
  plan.job.command = arguments.rest;
  plan.lock = arguments.text("lock");
  if (auto ok = read_durations(arguments, plan); !ok) return tl::unexpected<Error>(ok.error());
  if (arguments.has("retry")) {
    auto retry = parse_integer(arguments.text("retry"), 0, kMostTries);
    if (!retry)
      return fail(Errc::invalid, fmt::format("--retry: {} is not 0-{}",
                                             quoted(arguments.text("retry")), kMostTries));
    plan.retry = static_cast<int>(*retry);
  }
  if (!arguments.has("map")) return plan;
  auto map = StateMap::parse(arguments.text("map"));
  if (!map) return fail(Errc::invalid, "--map: " + map.error().what);
  plan.map = std::move(*map);
  return plan;
}

// What a start and an end have in common. The host that was not given is the agent's to fill in.
JsonWriter& begin_record(JsonWriter& json, const Arguments& given, const std::string& id) {
  json.begin_object().key("id").text(id);
  if (given.has("host")) json.key("host").text(given.text("host"));
  json.key("service").text(given.text("service"));
  return json.key("time").number(epoch_seconds(wall_now()));
}

std::string start_line(const Arguments& given, const std::string& id) {
  std::string out;
  JsonWriter json(out);
  begin_record(json, given, id).key("start").boolean(true).end_object();
  return out + "\n";
}

std::string end_line(const Arguments& given, const std::string& id, const Plan& plan,
                     const Ending& ending, const Tail& tail) {
  std::string text = tail.text();
  text = harmless(first_line(ending, plan.limits)) + (text.empty() ? "" : "\n" + text);
  std::string out;
  JsonWriter json(out);
  begin_record(json, given, id).key("state").integer(judge(ending, plan.map, plan.limits));
  json.key("output").text(text).key("perfdata").text(perfdata_of(ending, plan.limits));
  if (plan.ttl > Duration{}) json.key("ttl").number(to_seconds(plan.ttl));
  json.end_object();
  return out + "\n";
}

// Tries until one is well, for what a try adds up to.
Ending run_tries(const Plan& plan, Job& job, Tail& tail, const std::function<void()>& running) {
  const off_t input = ::lseek(STDIN_FILENO, 0, SEEK_CUR);  // a file is read again by the next try
  const Steady begin = deadline_in({});
  Ending all;
  for (int tries = 1;; ++tries) {
    tail.clear();
    Ending one = job.run(tries == 1 ? running : [] {});
    one.tries = tries;
    one.cpu += all.cpu;
    one.rss = std::max(one.rss, all.rss);
    all = std::move(one);
    if (tries > plan.retry || plan.map.state_of(all) == 0 || !all.started()) break;
    job.pause(plan.retry_wait);
    if (job.told_to_end()) break;
    if (input >= 0) ::lseek(STDIN_FILENO, input, SEEK_SET);
  }
  if (all.tries > 1) all.wall = deadline_in({}) - begin;
  if (!job.trouble().empty()) say(job.trouble());
  return all;
}

Ending locked_out(const Error& error) {
  Ending out;
  out.kind = Ending::Kind::locked;
  out.why = error.what;
  return out;
}

Ending run_job(const Arguments& arguments, const Plan& plan, const std::string& id, Job& job,
               Tail& tail, RunReport& report) {
  Result<JobLock> lock = JobLock();
  if (!plan.lock.empty()) lock = JobLock::take(plan.lock);
  if (!lock) return locked_out(lock.error());
  report.announce(start_line(arguments, id));
  return run_tries(plan, job, tail, [&report] { report.leave_announcement(); });
}

}  // namespace

int exec_command(const Arguments& arguments) {
  guard_standard_streams();
  auto plan = read_plan(arguments);
  if (!plan) return usage_error("exec", plan.error().what);
  Surroundings around = look_around(arguments);
  const std::string id = IdMaker(random_seed()).make(wall_now());
  RunReport report(around.socket, around.spool_dir, id);
  Tail tail(kTail);
  Job job(plan->job, tail);
  Ending ending = run_job(arguments, *plan, id, job, tail, report);
  if (!ending.started()) say(ending.why);
  std::string lost = report.deliver(end_line(arguments, id, *plan, ending, tail));
  if (!lost.empty()) say(lost);
  return exit_status(ending);
}

}  // namespace checkrelay
