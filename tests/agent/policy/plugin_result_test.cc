#include "agent/policy/plugin_result.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using End = ChildOutcome::End;

const Subject kService{"db1", "Disk"}, kHost{"db1", ""};

class PluginResult : public testing::Test {
 protected:
  PluginResult() {
    command.arguments = {"/usr/lib/nagios/plugins/check_disk", "-w", "10%"};
    command.timeout = 30s;
  }
  CheckResult read(const ChildOutcome& o, const Subject& subject = kService) {
    CheckResult r = plugin_result({subject, command, Wall(1000s)}, o, mended);
    EXPECT_TRUE(validate(r)) << validate(r).error().what;
    EXPECT_LE(r.output.size() + r.perfdata.size(), command.keep);
    return r;
  }
  static ChildOutcome exited(int code, std::string out, std::string err = {}) {
    ChildOutcome o;
    o.code = code;
    o.out = std::move(out);
    o.err = std::move(err);
    return o;
  }

  ChildCommand command;
  std::uint64_t mended = 0;
};

TEST_F(PluginResult, TheExitStatusIsTheStateAndThePipeBeginsPerfdata) {
  for (int code = 0; code < 4; ++code) {
    const CheckResult r = read(exited(code, "DISK - fine|/=1GB;;;0;2\nlong\nmore|b=2\n"));
    EXPECT_EQ(r.state, code);
    EXPECT_EQ(r.output, "DISK - fine\nlong\nmore");
    EXPECT_EQ(r.perfdata, "/=1GB;;;0;2 b=2");
    EXPECT_EQ(r.time, Wall(1000s));
    EXPECT_EQ(r.check_source, "checkrelay check");
    EXPECT_EQ(r.subject, kService);
  }
}

TEST_F(PluginResult, OutputNeedsNoNewlineAtItsEnd) {
  EXPECT_EQ(read(exited(0, "fine")).output, "fine");
}

TEST_F(PluginResult, AHostIsUpWithZeroAndDownElse) {
  EXPECT_EQ(read(exited(0, "PING OK"), kHost).state, 0);
  for (int code : {1, 2, 3, 4, 255}) EXPECT_EQ(read(exited(code, "x"), kHost).state, 1) << code;
  ChildOutcome o;
  o.end = End::not_run;
  o.error = "No such file or directory";
  EXPECT_EQ(read(o, kHost).state, 1);
}

TEST_F(PluginResult, AStatusAboveThreeIsUnknown) {
  const CheckResult r = read(exited(127, "DISK - fine|a=1\n"));
  EXPECT_EQ(r.state, 3);
  EXPECT_EQ(r.output,
            "exit status 127 is none of a plugin's, which are 0 to 3; it had printed: "
            "DISK - fine|a=1");
  EXPECT_EQ(r.perfdata, "");
}

TEST_F(PluginResult, ASignalIsUnknownAndNamed) {
  ChildOutcome o = exited(11, "half a li");
  o.end = End::signalled;
  const CheckResult r = read(o);
  EXPECT_EQ(r.state, 3);
  EXPECT_EQ(r.output,
            "the plugin was ended by SIGSEGV (Segmentation fault); it had printed: half a li");
  o.code = 63;
  EXPECT_NE(read(o).output.find("signal 63"), std::string::npos);
}

TEST_F(PluginResult, ATimeoutIsUnknownHoweverItEndedThen) {
  ChildOutcome o = exited(0, "so far\n");
  o.timed_out = true;
  EXPECT_EQ(read(o).state, 3);
  EXPECT_EQ(read(o).output,
            "the plugin was not done within 30s; it ended with exit status 0; it had printed: "
            "so far");
  o.end = End::signalled;
  o.code = 9;
  o.out.clear();
  EXPECT_EQ(read(o).output, "the plugin was not done within 30s; it was ended by SIGKILL (Killed)");
  o.end = End::hangs;
  o.error = "not even SIGKILL has ended it";
  EXPECT_EQ(read(o).output, "the plugin was not done within 30s; not even SIGKILL has ended it");
}

TEST_F(PluginResult, WhatCannotBeRunIsNamed) {
  ChildOutcome o;
  o.end = End::not_run;
  o.error = "No such file or directory";
  EXPECT_EQ(read(o).state, 3);
  EXPECT_EQ(read(o).output,
            "cannot run \"/usr/lib/nagios/plugins/check_disk\": No such file or directory");
}

TEST_F(PluginResult, SilenceOnStandardOutputIsUnknownWhateverTheStatus) {
  for (int code = 0; code < 4; ++code) {
    const CheckResult r = read(exited(code, " \n", "Traceback:\n  boom\n"));
    EXPECT_EQ(r.state, 3);
    EXPECT_EQ(r.output,
              "the plugin printed nothing to standard output; it ended with exit status " +
                  std::to_string(code) + "; on standard error: Traceback:\n  boom");
  }
  EXPECT_EQ(read(exited(0, "")).output,
            "the plugin printed nothing to standard output; it ended with exit status 0");
}

TEST_F(PluginResult, StandardErrorIsLeftOutWhereThereIsOutput) {
  EXPECT_EQ(read(exited(1, "WARN\n", "warning: old option\n")).output, "WARN");
}

TEST_F(PluginResult, AFloodIsUnknown) {
  ChildOutcome o = exited(9, std::string(64 * 1024, 'y'));
  o.end = End::signalled;
  o.flooded = true;
  const CheckResult r = read(o);
  EXPECT_EQ(r.state, 3);
  EXPECT_EQ(r.output.substr(0, 70),
            "the plugin printed more than 1MiB and was ended; it had printed: yyyyy");
}

TEST_F(PluginResult, BytesThatAreNoUtf8AreMendedAndTheWholeIsBounded) {
  const CheckResult r = read(exited(0, std::string(64 * 1024, '\xff') + "|a=1"));
  EXPECT_EQ(r.state, 0);
  EXPECT_GT(mended, 60000U);
  command.keep = 10;
  EXPECT_EQ(read(exited(0, "h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6|a=1")).output,
            "h\xc3\xb6h\xc3\xb6h\xc3\xb6h");
  EXPECT_EQ(read(exited(0, "eight by|perf=1")).perfdata, "pe");
}

}  // namespace
}  // namespace checkrelay
