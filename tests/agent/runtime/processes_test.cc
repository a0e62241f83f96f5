// Real programs on a real loop. Waits are for what must come, never for a time.
#include "agent/runtime/processes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using End = ChildOutcome::End;

constexpr auto kPatience = 60s;

class ProcessesTest : public testing::Test {
 protected:
  ProcessesTest() {
    char name[] = "/tmp/cr-processes-XXXXXX";
    directory = ::mkdtemp(name);
  }
  ~ProcessesTest() override { std::filesystem::remove_all(directory); }

  static ChildCommand command(std::vector<std::string> arguments, Duration timeout = kPatience) {
    ChildCommand c;
    c.arguments = std::move(arguments);
    c.environment = {"PATH=/usr/bin:/bin", "GIVEN=a b"};
    c.timeout = timeout;
    return c;
  }
  static ChildCommand shell(const std::string& script, Duration timeout = kPatience) {
    return command({"/bin/sh", "-c", script}, timeout);
  }
  void start(const ChildCommand& c) {
    processes.start(c, [this](ChildOutcome o) { outcomes.push_back(std::move(o)); });
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
  ChildOutcome run(const ChildCommand& c) {
    outcomes.clear();
    start(c);
    EXPECT_TRUE(outcomes.empty()) << "answered within start()";
    until([&] { return !outcomes.empty(); });
    return outcomes.empty() ? ChildOutcome{} : outcomes.front();
  }
  std::string file(const std::string& name, const std::string& text, mode_t mode = 0755) {
    const std::string path = directory + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string read(const std::string& name) {
    std::ifstream in(directory + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static bool exists(pid_t pid) {
    if (::kill(pid, 0) != 0) return false;
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    return text.find(") Z ") == std::string::npos;  // whose parent has not looked yet
  }

  std::string directory;
  Loop loop;
  Processes processes{loop};
  std::vector<ChildOutcome> outcomes;
};

TEST_F(ProcessesTest, OutputAndStatusComeBack) {
  const ChildOutcome o = run(shell("echo to out; echo to err >&2; exit 2"));
  EXPECT_EQ(o.end, End::exited);
  EXPECT_EQ(o.code, 2);
  EXPECT_EQ(o.out, "to out\n");
  EXPECT_EQ(o.err, "to err\n");
  EXPECT_FALSE(o.timed_out || o.flooded || o.stopped);
  EXPECT_TRUE(processes.idle());
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "it was reaped";
}

TEST_F(ProcessesTest, ArgumentsAreTakenAsTheyAre) {
  EXPECT_EQ(run(command({"printf", "[%s]", "$HOME *", "", "a'b"})).out, "[$HOME *][][a'b]");
}

TEST_F(ProcessesTest, OutputWithoutANewlineAndBinaryOutputComeBack) {
  EXPECT_EQ(run(shell("printf 'a\\000\\377b'")).out, std::string("a\0\xff"
                                                                 "b",
                                                                 4));
}

TEST_F(ProcessesTest, WhatIsNotThereIsSaid) {
  const ChildOutcome o = run(command({directory + "/nothing"}));
  EXPECT_EQ(o.end, End::not_run);
  EXPECT_EQ(o.error, "No such file or directory");
  EXPECT_THAT(run(command({"checkrelay-no-such-plugin"})).error, StartsWith("not found in PATH"));
  EXPECT_EQ(run(command({file("plain", "text", 0644)})).error, "Permission denied");
  EXPECT_EQ(run(command({directory})).error, "Permission denied");
  EXPECT_EQ(run(command({file("lost", "#!/no/such/interpreter\n")})).error,
            "the interpreter that its first line names is missing");
  EXPECT_THAT(run(command({file("blank", "echo hi\n")})).error, HasSubstr("begins with #!"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ProcessesTest, ANameIsLookedForInThePathOfTheEnvironment) {
  file("mine", "#!/bin/sh\necho found\n");
  ChildCommand c = command({"mine"});
  c.environment = {"PATH=/no/such:relative:" + directory};
  EXPECT_EQ(run(c).out, "found\n");
  c.environment = {};
  EXPECT_EQ(run(c).end, End::not_run);
}

TEST_F(ProcessesTest, TheEnvironmentIsWhatIsGivenAndNothingElse) {
  ::setenv("CHECKRELAY_SECRET", "x", 1);
  EXPECT_EQ(run(command({"/usr/bin/env"})).out, "PATH=/usr/bin:/bin\nGIVEN=a b\n");
}

TEST_F(ProcessesTest, NoDescriptorSignalOrDirectoryOfOursIsHandedOn) {
  const int leak = ::open("/dev/zero", O_RDONLY);  // not closed on exec
  EXPECT_EQ(run(shell("ls /proc/self/fd | tr '\\n' ' '; cat; pwd")).out, "0 1 2 3 /\n")
      << "3 is the directory that ls reads";
  ::close(leak);
  const std::string status =
      run(command({"/bin/grep", "-E", "^(SigBlk|SigIgn)", "/proc/self/status"})).out;
  EXPECT_EQ(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ProcessesTest, TheProgramLeadsASessionOfItsOwn) {
  EXPECT_EQ(run(shell("set -- $(cut -d' ' -f1,5,6 /proc/$$/stat); "
                      "test $1 = $2 && test $1 = $3 && echo alone"))
                .out,
            "alone\n");
}

TEST_F(ProcessesTest, ADeadlySignalIsTold) {
  const ChildOutcome o = run(shell("echo begun; kill -SEGV $$"));
  EXPECT_EQ(o.end, End::signalled);
  EXPECT_EQ(o.code, SIGSEGV);
  EXPECT_EQ(o.out, "begun\n");
}

TEST_F(ProcessesTest, WhoHangsIsEndedKindly) {
  const ChildOutcome o = run(shell("echo begun; exec sleep 1000", 1s));
  EXPECT_TRUE(o.timed_out);
  EXPECT_EQ(o.end, End::signalled);
  EXPECT_EQ(o.code, SIGTERM);
  EXPECT_EQ(o.out, "begun\n");
  EXPECT_GE(o.took, 1s);
}

TEST_F(ProcessesTest, WhoIgnoresSigtermIsKilled) {
  const ChildOutcome o = run(shell("trap '' TERM; while :; do sleep 1000; done", 1s));
  EXPECT_TRUE(o.timed_out);
  EXPECT_EQ(o.code, SIGKILL);
  EXPECT_GE(o.took, 1s + Processes::kTermGrace);
}

TEST_F(ProcessesTest, WhoIsStoppedIsEndedToo) {
  const ChildOutcome o = run(shell("kill -STOP $$", 1s));
  EXPECT_TRUE(o.timed_out);
  EXPECT_EQ(o.end, End::signalled);
}

TEST_F(ProcessesTest, AFloodIsCutAndEnded) {
  ChildCommand c = shell("exec yes");
  c.keep = 1000;
  const ChildOutcome o = run(c);
  EXPECT_TRUE(o.flooded);
  EXPECT_EQ(o.end, End::signalled);
  EXPECT_EQ(o.out.size(), 1000U);
  EXPECT_TRUE(run(shell("exec yes >&2")).flooded);
}

TEST_F(ProcessesTest, MuchOutputOfWhichTheBeginningIsKeptIsNoFlood) {
  ChildCommand c = shell("head -c 900000 /dev/zero | tr '\\0' x; exit 1");
  const ChildOutcome o = run(c);
  EXPECT_FALSE(o.flooded);
  EXPECT_EQ(o.code, 1);
  EXPECT_EQ(o.out, std::string(c.keep, 'x'));
}

TEST_F(ProcessesTest, ABackgroundChildThatKeepsThePipeIsNotAwaitedAndGoesToo) {
  const ChildOutcome o = run(shell("sleep 1000 & echo $!; exit 1"));
  EXPECT_EQ(o.end, End::exited);
  EXPECT_EQ(o.code, 1);
  const pid_t left = std::atoi(o.out.c_str());
  ASSERT_GT(left, 1);
  until([&] { return !exists(left); });
}

TEST_F(ProcessesTest, WhoClosesItsOutputIsStillWaitedFor) {
  const ChildOutcome o = run(shell("echo x; exec >&- 2>&-; exec sleep 0.2"));
  EXPECT_EQ(o.end, End::exited);
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.out, "x\n");
  EXPECT_GE(o.took, 200ms);
}

TEST_F(ProcessesTest, AStopEndsWhatRunsAndSaysSo) {
  start(shell("echo $$ > " + directory + "/kind; exec sleep 1000"));
  start(shell("trap '' TERM; echo $$ > " + directory + "/stubborn; while :; do sleep 1000; done"));
  until([&] { return read("kind").ends_with('\n') && read("stubborn").ends_with('\n'); });
  processes.stop();
  until([&] { return outcomes.size() == 1; });
  EXPECT_FALSE(processes.idle());
  processes.kill();
  until([&] { return processes.idle(); });
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_TRUE(outcomes[0].stopped && outcomes[1].stopped);
  EXPECT_EQ(outcomes[0].code, SIGTERM);
  EXPECT_EQ(outcomes[1].code, SIGKILL);
}

TEST_F(ProcessesTest, WhatRunsWhenTheAgentEndsIsKilled) {
  {
    Processes others(loop);
    others.start(shell("echo $$ > " + directory + "/pid; exec sleep 1000"), [](ChildOutcome) {});
    until([&] { return read("pid").ends_with('\n'); });
  }
  const pid_t pid = std::atoi(read("pid").c_str());
  until([&] { return !exists(pid); });
}

TEST_F(ProcessesTest, ManyAtOnceEachGetTheirOwnOutput) {
  for (int n = 0; n < 100; ++n) {
    processes.start(shell("echo " + std::to_string(n) + "; exit " + std::to_string(n % 4)),
                    [this, n](ChildOutcome o) {
                      EXPECT_EQ(o.out, std::to_string(n) + "\n");
                      EXPECT_EQ(o.code, n % 4);
                      outcomes.push_back(std::move(o));
                    });
  }
  until([&] { return outcomes.size() == 100; });
  EXPECT_TRUE(processes.idle());
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ProcessesTest, RootRunsItAsAnotherUserWithItsGroupsAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can";
  const auto nobody = find_account("nobody");
  ASSERT_TRUE(nobody);
  ChildCommand c = shell("id -u; id -g; id -G; grep CapEff /proc/self/status");
  c.account = *nobody;
  const std::string uid = std::to_string(nobody->uid), gid = std::to_string(nobody->gid);
  EXPECT_EQ(run(c).out, uid + "\n" + gid + "\n" + gid + "\nCapEff:\t0000000000000000\n");
  EXPECT_EQ(::geteuid(), 0U) << "nobody else changed";
}

TEST_F(ProcessesTest, WhoMayNotBecomeAnotherUserIsTold) {
  ChildCommand c = shell("id -u");
  c.account = Account{};
  c.account->uid = c.account->gid = 12345;
  c.account->name = "other";
  if (::geteuid() == 0) {
    c.account->groups.assign(70000, 1);  // more than the kernel takes
  }
  EXPECT_THAT(run(c).error, StartsWith("cannot become user \"other\": "));
}

}  // namespace
}  // namespace checkrelay
