#include "tests/bench/agent.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "tests/bench/give_up.h"
#include "tests/bench/series.h"
#include "tests/bench/sockets.h"

namespace checkrelay::bench {
namespace {

constexpr double kReadySeconds = 30;
constexpr double kStopSeconds = 30;
constexpr double kStatusPause = 0.005;  // seconds
constexpr std::size_t kLogTail = 2000;  // bytes

double longest_turn = 0;

bool says_ready(int notify) {
  char buffer[4096];
  ssize_t n = recv(notify, buffer, sizeof buffer, MSG_DONTWAIT);
  return n > 0 && std::string_view(buffer, static_cast<std::size_t>(n)).find("READY=1") !=
                      std::string_view::npos;
}

}  // namespace

double longest_turn_seen() { return longest_turn; }

std::string unreachable(const std::string& name) {
  return fmt::format(
      "[[destination]]\nname = \"{}\"\ntype = \"op5\"\nurl = \"http://127.0.0.1:9\"\nbacklog = "
      "\"all\"\n",
      name);
}

Agent::Agent(const std::string& program, std::string directory, const std::string& sections)
    : program_(program), directory_(std::move(directory)) {
  if (access(program.c_str(), X_OK) != 0) give_up("{}: cannot be run; build it first", program);
  std::filesystem::create_directories(directory_ + "/state");
  write_config(sections);
  start();
}

Agent::~Agent() {
  stop();
  std::filesystem::remove_all(directory_);
}

void Agent::restart(const std::string& sections) {
  stop();
  write_config(sections);
  start();
}

void Agent::start() {
  std::filesystem::remove(directory_ + "/notify");
  int notify = bind_unix(directory_ + "/notify", SOCK_DGRAM);
  double began = seconds_now();
  process_ = std::make_unique<Child>(
      std::vector<std::string>{program_, "run", "--config", directory_ + "/checkrelay.toml"},
      std::vector<std::string>{"NOTIFY_SOCKET=" + directory_ + "/notify"}, directory_ + "/log");
  wait_ready(notify);
  start_seconds_ = seconds_now() - began;
  close(notify);
}

void Agent::stop() {
  longest_turn = std::max(longest_turn, ask_metric(socket(), "checkrelay_longest_turn_seconds"));
  int status = process_->stop(kStopSeconds);
  if (status != 0) failed(fmt::format("ended with wait status {}", status));
}

void Agent::write_config(const std::string& sections) const {
  std::ofstream file(directory_ + "/checkrelay.toml");
  file << fmt::format(
      "[agent]\nhostname = \"bench\"\nstate_dir = \"{0}/state\"\nsocket = \"{0}/socket\"\n"
      "[log]\nlevel = \"warn\"\n{1}",
      directory_, sections);
}

void Agent::wait_ready(int notify) const {
  double until = seconds_now() + kReadySeconds;
  while (seconds_now() < until) {
    pollfd fds[] = {{notify, POLLIN, 0}, {process_->handle(), POLLIN, 0}};
    poll(fds, 2, static_cast<int>(kReadySeconds * 1000));
    if (says_ready(notify)) return;
    if (fds[1].revents != 0) failed("ended before it was ready");
  }
  failed("was not ready in time");
}

void Agent::wait_delivered(std::uint64_t count, double seconds) const {
  double until = seconds_now() + seconds;
  for (AgentStatus s; (s = ask_status(socket())).delivered < count;) {
    if (s.dead > 0) failed(fmt::format("has {} dead results", s.dead));
    if (seconds_now() > until)
      failed(fmt::format("delivered {} of {} in {} s: {}", s.delivered, count, seconds, s.text));
    pause(kStatusPause);
  }
}

void Agent::failed(const std::string& why) const {
  std::ifstream file(directory_ + "/log");
  std::string log{std::istreambuf_iterator<char>(file), {}};
  give_up("checkrelay {}; its log ends:\n{}", why,
          log.substr(log.size() > kLogTail ? log.size() - kLogTail : 0));
}

}  // namespace checkrelay::bench
