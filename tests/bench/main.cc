// Parent and child: the child measures, the parent waits, and whatever ends the child, removes what
// it wrote.
#include <curl/curl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/measures.h"
#include "tests/bench/report.h"

namespace checkrelay::bench {
namespace {

constexpr int kMostRuns = 100;
constexpr unsigned kMinutesARun = 6;  // by far the most that a run of everything takes

struct Command {
  Setup setup{};
  std::vector<std::string> only{};
  std::string json{};
  std::string parent_directory = "/var/tmp";
  bool anywhere = false;  // on tmpfs too
};

void usage() {
  fmt::print(
      "usage: checkrelay-bench [OPTION]...\n"
      "  --runs N        runs of each measure, agent and limit in turn (default 5)\n"
      "  --quick         one short run of each: shows that it works, not how fast\n"
      "  --only NAME     this measure alone; may be repeated\n"
      "  --json FILE     writes every number to FILE\n"
      "  --dir PATH      where the scratch directory goes: the disk that is measured (default "
      "/var/tmp)\n"
      "  --anywhere      even where PATH is memory and not a disk\n"
      "  --program FILE  the checkrelay to measure (default: the one of the same build)\n\n"
      "measures:\n");
  for (const Measure& m : measures()) fmt::print("  {:<15} {}\n", m.name, m.what);
  fmt::print("\nexit status: 0 measured; 1 could not measure; 2 usage\n");
}

[[noreturn]] void misused(const std::string& why) {
  fmt::print(stderr, "checkrelay-bench: {}; see --help\n", why);
  std::exit(2);
}

bool is_measure(const std::string& name) {
  return std::any_of(measures().begin(), measures().end(),
                     [&](const Measure& m) { return m.name == name; });
}

int runs(const std::string& text) {
  int n = std::atoi(text.c_str());
  if (n < 1 || n > kMostRuns) misused(fmt::format("--runs {}: 1 to {}", text, kMostRuns));
  return n;
}

void take(Command& command, int option, const std::string& value) {
  switch (option) {
    case 'r':
      command.setup.runs = runs(value);
      break;
    case 'q':
      command.setup.quick = true;
      break;
    case 'o':
      if (!is_measure(value)) misused(fmt::format("no measure \"{}\"", value));
      command.only.push_back(value);
      break;
    case 'j':
      command.json = value;
      break;
    case 'd':
      command.parent_directory = value;
      break;
    case 'a':
      command.anywhere = true;
      break;
    case 'p':
      command.setup.program = value;
      break;
    case 'h':
      usage();
      std::exit(0);
    default:
      misused("what is that?");
  }
}

Command parse(int argc, char** argv) {
  static const option kOptions[] = {{"runs", required_argument, nullptr, 'r'},
                                    {"quick", no_argument, nullptr, 'q'},
                                    {"only", required_argument, nullptr, 'o'},
                                    {"json", required_argument, nullptr, 'j'},
                                    {"dir", required_argument, nullptr, 'd'},
                                    {"anywhere", no_argument, nullptr, 'a'},
                                    {"program", required_argument, nullptr, 'p'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {nullptr, 0, nullptr, 0}};
  Command command;
  std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  command.setup.client = here / "checkrelay-bench-client";
  command.setup.program = here.parent_path().parent_path() / "checkrelay";
  for (int o = 0; (o = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1;)
    take(command, o, optarg != nullptr ? optarg : "");
  if (optind < argc) misused(fmt::format("\"{}\" is no option", argv[optind]));
  if (command.setup.quick) command.setup.runs = 1;
  return command;
}

std::string make_scratch(const Command& command) {
  struct statfs fs {};
  checked(statfs(command.parent_directory.c_str(), &fs), command.parent_directory.c_str());
  if (fs.f_type == TMPFS_MAGIC && !command.anywhere)
    give_up("{} is in memory, where a sync costs nothing: name a disk with --dir",
            command.parent_directory);
  std::string path = command.parent_directory + "/checkrelay-bench-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) give_up("{}: cannot be made", path);
  return path;
}

void write_json(const Command& command, const std::vector<Row>& rows) {
  if (command.json.empty()) return;
  std::ofstream file(command.json);
  file << json(rows, command.setup);
  file.close();
  if (!file) give_up("{}: cannot be written", command.json);
}

// A run that measured nothing must not look like one that did.
void check_numbers(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    bool good =
        row.measured.size() >= 1 && (row.limit.empty() || row.limits.size() == row.measured.size());
    if (row.name != "idle_wakeups") good = good && spread(row.measured).low > 0;
    if (!good) give_up("{}: no number", row.name);
  }
}

Row longest_turn() {
  Row row{.name = "longest_turn",
          .title = "longest turn of the loop under all of these",
          .unit = "ms",
          .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 20}};
  row.measured.push_back(std::max(1e3 * longest_turn_seen(), 0.001));
  return row;
}

int measure(const Command& command) {
  std::vector<Row> rows;
  fmt::print("{}\n", machine_line());
  for (const Measure& m : measures()) {
    const auto& only = command.only;
    if (!only.empty() && std::find(only.begin(), only.end(), m.name) == only.end()) continue;
    double began = seconds_now();
    fmt::print(stderr, "{}: {} ...", m.name, m.what);
    for (Row& row : m.run(command.setup)) rows.push_back(std::move(row));
    fmt::print(stderr, " {:.1f} s\n", seconds_now() - began);
  }
  rows.push_back(longest_turn());
  check_numbers(rows);
  fmt::print("\n{}: median (lowest-highest) of {}\n{}",
             command.setup.quick ? "QUICK RUN, NUMBERS MEAN NOTHING"
                                 : "checkrelay beside the machine's limit",
             command.setup.runs, table(rows, command.setup.quick));
  write_json(command, rows);
  return 0;
}

volatile std::sig_atomic_t child = 0;

void pass_on(int signal) {
  if (child > 0) kill(child, signal == SIGALRM ? SIGKILL : signal);
}

// Its exit status, 128 + n for signal n.
int wait_for_child() {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int supervise(Command command) {
  command.setup.directory = make_scratch(command);
  std::fflush(nullptr);
  for (int s : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) std::signal(s, pass_on);
  child = checked(fork(), "fork");
  if (child == 0) {
    for (int s : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) std::signal(s, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    std::exit(measure(command));
  }
  alarm(60 * kMinutesARun * static_cast<unsigned>(command.setup.runs));
  int status = wait_for_child();
  std::filesystem::remove_all(command.setup.directory);
  if (status > 128) fmt::print(stderr, "checkrelay-bench: ended by signal {}\n", status - 128);
  return status;
}

}  // namespace
}  // namespace checkrelay::bench

int main(int argc, char** argv) {
  return checkrelay::bench::supervise(checkrelay::bench::parse(argc, argv));
}
