// Launches that the system holds: here a gate holds them, until the test lets them go.
#include "agent/runtime/launch_thread.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "agent/runtime/processes.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using End = ChildOutcome::End;

constexpr auto kPatience = 60s;

// Launches a program whose environment says so only when it is let go.
class Gate {
 public:
  Result<pid_t> launch(Launcher& launcher, const ChildCommand& command, const Standard& standard) {
    if (command.environment.back() == "HELD=before") hold();
    Result<pid_t> pid = launcher.launch(command, standard);
    if (command.environment.back() == "HELD=behind") {
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(*pid), &info, WEXITED | WNOWAIT);
      hold();
    }
    const std::lock_guard lock(mutex_);
    if (pid) last_ = *pid;
    ++left_;
    changed_.notify_all();
    return pid;
  }
  void let_go(int n = 1) {
    const std::lock_guard lock(mutex_);
    passes_ += n;
    changed_.notify_all();
  }
  [[nodiscard]] int holds() {
    const std::lock_guard lock(mutex_);
    return holds_;
  }
  // How many have been launched; waits until it is `n`.
  pid_t wait_left(int n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return left_ >= n; }));
    return last_;
  }

 private:
  void hold() {
    std::unique_lock lock(mutex_);
    ++holds_;
    changed_.wait(lock, [this] { return passes_ > 0; });
    --passes_;
    --holds_;
  }
  std::mutex mutex_{};
  std::condition_variable changed_{};
  int holds_ = 0, passes_ = 0, left_ = 0;
  pid_t last_ = -1;
};

class LaunchThreadTest : public testing::Test {
 protected:
  LaunchThreadTest() {
    char name[] = "/tmp/cr-launch-XXXXXX";
    directory = ::mkdtemp(name);
    processes = std::make_unique<Processes>(loop, manner());
  }
  ~LaunchThreadTest() override {
    gate->let_go(1000);
    processes.reset();
    std::filesystem::remove_all(directory);
  }

  LaunchThread::Manner manner() {
    return {[gate = gate](Launcher& l, const ChildCommand& c, const Standard& s) {
              return gate->launch(l, c, s);
            },
            1ms};
  }
  void start(const std::string& script, const std::string& held = "no",
             Duration timeout = kPatience) {
    ChildCommand c;
    c.arguments = {"/bin/sh", "-c", script};
    c.environment = {"PATH=/usr/bin:/bin", "HELD=" + held};
    c.timeout = timeout;
    processes->start(c, [this](ChildOutcome o) { outcomes.push_back(std::move(o)); });
  }
  void hold(int n) {
    for (int i = 0; i < n; ++i) start("echo late", "before");
    until([&] { return gate->holds() == n; });
  }
  template <typename F>
  void until(F condition) {
    Timer alarm(loop, [] {});
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it never came";
      alarm.at(loop.now().steady + 10ms);
      loop.run_once();
    }
  }
  std::string read(const std::string& name) {
    std::ifstream in(directory + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> said() {
    std::vector<std::string> out;
    for (const ChildOutcome& o : outcomes) out.push_back(o.out);
    return out;
  }

  std::string directory;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  Loop loop;
  std::unique_ptr<Processes> processes;
  std::vector<ChildOutcome> outcomes;
};

TEST_F(LaunchThreadTest, OneThatTheSystemHoldsKeepsNoOther) {
  hold(1);
  for (const char* word : {"a", "b"}) {
    start(std::string("echo ") + word);
    until([&] { return !outcomes.empty() && outcomes.back().out[0] == word[0]; });
  }
  gate->let_go();
  until([&] { return outcomes.size() == 3; });
  EXPECT_EQ(outcomes.back().out, "late\n");
  EXPECT_TRUE(processes->idle());
  start("echo after");
  until([&] { return outcomes.size() == 4; });
}

TEST_F(LaunchThreadTest, WithAllThreadsHeldTheNextWaitsForTheFirstThatComesBack) {
  const int most = static_cast<int>(LaunchThread::kMost);
  hold(most);
  start("echo more", "before");
  start("echo last");
  gate->let_go();
  until([&] { return outcomes.size() == 1 && gate->holds() == most; });
  EXPECT_EQ(outcomes[0].out, "late\n") << "what waits is behind the held ones";
  gate->let_go(most);
  until([&] { return outcomes.size() == static_cast<std::size_t>(most) + 2; });
  EXPECT_THAT(said(), testing::IsSupersetOf({"late\n", "more\n", "last\n"}));
}

TEST_F(LaunchThreadTest, AHeldOneIsToldOnceAndSoIsItsReturn) {
  testing::internal::CaptureStderr();
  hold(1);
  for (int i = 0; i < 3; ++i) {
    start("echo x");
    until([&] { return outcomes.size() == static_cast<std::size_t>(i) + 1; });
  }
  gate->let_go();
  until([&] { return outcomes.size() == 4; });
  const std::string log = testing::internal::GetCapturedStderr();
  const auto times = [&](const std::string& words) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = log.find(words, at)) != std::string::npos; ++at) ++n;
    return n;
  };
  EXPECT_GE(times("holds the start of a program"), 1U) << log;
  EXPECT_EQ(times("holds the start of a program"), times("is done with the start")) << log;
  EXPECT_EQ(log.find("echo"), std::string::npos) << "arguments are not for the log";
}

TEST_F(LaunchThreadTest, AHeldOneIsGivenUpAndEndedWhenItComesBack) {
  start("exec sleep 1000", "before", 1ms);
  until([&] { return outcomes.size() == 1; });
  EXPECT_EQ(outcomes[0].end, End::hangs);
  EXPECT_TRUE(processes->idle()) << "nobody waits for it";
  gate->let_go();
  until([&] { return outcomes.size() == 2; });
  EXPECT_EQ(outcomes[1].code, SIGKILL);
  EXPECT_TRUE(processes->idle());
}

TEST_F(LaunchThreadTest, TheEndWaitsForNoHeldOneAndWhatItStartsThenIsKilled) {
  start("exec sleep 1000", "before");
  until([&] { return gate->holds() == 1; });
  start("echo x");
  until([&] { return outcomes.size() == 1; });
  processes->stop();
  EXPECT_FALSE(processes->idle()) << "it may come back in time";
  processes->kill();
  EXPECT_TRUE(processes->idle());
  processes.reset();
  EXPECT_EQ(gate->holds(), 1);
  gate->let_go();
  const pid_t pid = gate->wait_left(2);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(LaunchThreadTest, AnOrphanIsReapedWhileALaunchIsHeld) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  const std::string fifo = directory + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  hold(1);
  start("cd " + directory + "; setsid sh -c 'echo $$ > orphan; exec cat fifo > /dev/null' & " +
        "while ! grep -q . orphan 2> /dev/null; do :; done");
  until([&] { return outcomes.size() == 1; });
  const pid_t orphan = std::atoi(read("orphan").c_str());
  ASSERT_GT(orphan, 1);
  int fd = -1;
  until([&] { return (fd = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0; });
  ::close(fd);
  until([&] { return ::kill(orphan, 0) != 0; });
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

TEST_F(LaunchThreadTest, WhatEndsBeforeItsLaunchIsReportedKeepsItsStatus) {
  start("exit 3", "behind");
  until([&] { return gate->holds() == 1; });
  ChildCommand missing;
  missing.arguments = {directory + "/nothing"};
  missing.environment = {"HELD=no"};
  missing.timeout = kPatience;
  processes->start(missing, [this](ChildOutcome o) { outcomes.push_back(std::move(o)); });
  until([&] { return outcomes.size() == 1; });  // and with it, who ended was looked for
  EXPECT_EQ(outcomes[0].end, End::not_run);
  gate->let_go();
  until([&] { return outcomes.size() == 2; });
  EXPECT_EQ(outcomes[1].end, End::exited);
  EXPECT_EQ(outcomes[1].code, 3);
}

}  // namespace
}  // namespace checkrelay
