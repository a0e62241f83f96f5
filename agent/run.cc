#include "agent/run.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <optional>
#include <random>
#include <utility>

#include "agent/base/log.h"
#include "agent/config/config.h"
#include "agent/flow/agent.h"
#include "agent/runtime/loop.h"
#include "agent/runtime/processes.h"
#include "agent/runtime/state_file.h"
#include "agent/runtime/systemd.h"
#include "spool/journal.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMostKept = 64U << 20U;  // bytes of outages
constexpr Duration kStopCheck =
    std::chrono::milliseconds(20);  // while stopping: are all replies out?

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

// Every connection is a descriptor; the usual soft limit of 1024 is below limits.max_connections
// plus the rest.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

JournalOptions journal_options(const Config& config) {
  JournalOptions o;
  o.directory = config.agent.text("state_dir");
  o.max_bytes = static_cast<std::uint64_t>(config.limits.integer("max_queue"));
  o.history_age = config.limits.duration("history_age");
  o.history_bytes = static_cast<std::uint64_t>(config.limits.integer("history_size"));
  return o;
}

void warn_of(const Loaded& loaded) {
  for (const Fault& f : loaded.warnings)
    log(Level::warn, "configuration", {{"warning", to_string(f)}});
}

class Daemon {
 public:
  Daemon(std::string file, const Registry& registry)
      : file_(std::move(file)),
        registry_(registry),
        journal_wake_(loop_, [this] { journal_woke(); }) {}

  [[nodiscard]] Result<void> start(Config config);
  void run();

 private:
  [[nodiscard]] Environment environment();
  [[nodiscard]] Result<void> open_journal(const Config& config);
  void journal_woke();
  void turn();
  void report_trouble();
  void on_signal(int signal);
  void reload();
  void begin_stop(int signal);
  void check_stopped();
  void watch();

  std::string file_;
  const Registry& registry_;
  Loop loop_;
  Wakeup journal_wake_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<StateFile> outages_file_;
  Processes children_{loop_};
  std::unique_ptr<Agent> agent_;
  Timer deadline_{loop_, [this] { turn(); }};
  Timer stop_check_{loop_, [this] { check_stopped(); }};
  Timer watchdog_{loop_, [this] { watch(); }};
  Signals signals_{loop_, {SIGTERM, SIGINT, SIGHUP}, [this](int s) { on_signal(s); }};
  std::optional<Steady> give_up_;  // set while stopping
  std::string trouble_;
  bool kicked_ = false;
};

Environment Daemon::environment() {
  Environment env;
  env.now = [this] { return loop_.now(); };
  env.defer = [this](std::function<void()> f) { loop_.defer(std::move(f)); };
  env.kick = [this] {
    if (std::exchange(kicked_, true)) return;
    loop_.defer([this] {
      kicked_ = false;
      turn();
    });
  };
  env.longest_turn = [this] { return loop_.longest_turn(); };
  env.kept_outages = [this] { return outages_file_->read(kMostKept); };
  env.keep_outages = [this](std::string bytes) { outages_file_->write(std::move(bytes)); };
  env.children = &children_;
  env.seed = random_seed();
  return env;
}

Result<void> Daemon::open_journal(const Config& config) {
  std::vector<std::string> reports;
  auto journal = open_sqlite_journal(
      journal_options(config), [this] { journal_wake_.wake(); }, &reports);
  for (const std::string& r : reports) log(Level::error, "journal", {{"report", r}});
  if (!journal) return tl::unexpected(journal.error());
  journal_ = std::move(*journal);
  journal_->poll(loop_.now());
  loop_.at_turn_end([this] { journal_->flush(); });
  return {};
}

Result<void> Daemon::start(Config config) {
  if (auto ok = open_journal(config); !ok) return ok;
  outages_file_ =
      std::make_unique<StateFile>(loop_, config.agent.text("state_dir") + "/outages.kept");
  agent_ = std::make_unique<Agent>(registry_, *journal_, loop_, environment());
  if (auto ok = agent_->start(std::move(config)); !ok) return ok;
  watch();
  turn();
  notify_ready("accepting results");
  log(Level::info, "ready", {{"version", CHECKRELAY_VERSION}, {"config", file_}});
  return {};
}

void Daemon::run() {
  loop_.run();
  loop_.at_turn_end(nullptr);
  agent_.reset();
  journal_.reset();
  log(Level::info, "stopped");
}

void Daemon::journal_woke() {
  turn();
  agent_->journal_polled();
  report_trouble();
}

void Daemon::turn() {
  Instant now = loop_.now();
  journal_->poll(
      now);  // what happens next at the journal happens now, not when it last had an answer
  agent_->tick(now);
  if (give_up_) return check_stopped();
  if (auto due = agent_->deadline(now)) {
    deadline_.at(*due);
  } else {
    deadline_.clear();
  }
}

void Daemon::report_trouble() {
  std::string trouble = trouble_of(journal_->stats());
  if (trouble == trouble_) return;
  if (trouble.empty()) {
    log(Level::info, "journal is well again", {{"was", trouble_}});
  } else {
    log(Level::error, "journal cannot take results", {{"reason", trouble}});
  }
  trouble_ = std::move(trouble);
}

void Daemon::on_signal(int signal) {
  if (signal == SIGHUP) return reload();
  begin_stop(signal);
}

void Daemon::reload() {
  if (give_up_) return;
  notify_reloading(loop_.now().steady);
  Loaded loaded = load_config(file_, registry_);
  for (const Fault& f : loaded.faults)
    log(Level::error, "configuration", {{"fault", to_string(f)}});
  if (loaded.faults.empty()) {
    auto level = parse_level(loaded.config.log.text("level"));
    if (level) set_log_level(*level);
    warn_of(loaded);
    agent_->reload(std::move(loaded.config));
    log(Level::info, "configuration reloaded", {{"config", file_}});
  } else {
    log(Level::error, "the old configuration stays",
        {{"config", file_}, {"faults", loaded.faults.size()}});
  }
  notify_ready("accepting results");
}

void Daemon::begin_stop(int signal) {
  if (give_up_) return loop_.stop();
  notify_stopping("draining");
  log(Level::info, "stopping", {{"signal", signal}});
  give_up_ = loop_.now().steady + agent_->config().agent.duration("drain");
  agent_->stop();
  check_stopped();
}

void Daemon::check_stopped() {
  if (loop_.now().steady >= *give_up_) agent_->cancel();
  if (agent_->stopped() || loop_.now().steady >= *give_up_) return loop_.stop();
  stop_check_.at(loop_.now().steady + kStopCheck);
}

void Daemon::watch() {
  auto every = watchdog_interval();
  if (!every) return;
  notify_watchdog();
  watchdog_.at(loop_.now().steady + *every);
}

}  // namespace

int run_agent(const std::string& config_file, const Registry& registry) {
  Loaded loaded = load_config(config_file, registry);
  for (const Fault& f : loaded.faults) fmt::print(stderr, "{}\n", to_string(f));
  if (!loaded.faults.empty()) return 1;
  raise_file_limit();
  start_log(parse_level(loaded.config.log.text("level")).value_or(Level::info),
            loaded.config.log.text("format") == "json");
  warn_of(loaded);
  int status = 0;
  {
    Daemon daemon(config_file, registry);
    if (auto ok = daemon.start(std::move(loaded.config)); ok) {
      daemon.run();
    } else {
      log(Level::error, "cannot run", {{"reason", ok.error().what}});
      status = 1;
    }
  }
  stop_log();
  return status;
}

}  // namespace checkrelay
