#include <gmock/gmock.h>

#include <algorithm>

#include "agent/base/text.h"
#include "agent/cli/cli.h"
#include "fake_agent.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

class Help : public testing::InOwnDirectory {
 protected:
  int run(std::vector<std::string> words, const Handlers& handlers = {}) {
    CaptureStdout();
    CaptureStderr();
    int status = run_cli(std::move(words), handlers);
    out_ = GetCapturedStdout();
    err_ = GetCapturedStderr();
    return status;
  }
  std::string out_;
  std::string err_;
};

void expect_a_screen(const std::string& text, std::ptrdiff_t lines) {
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), lines) << text;
  for (std::string_view line : split(text, '\n')) EXPECT_LE(line.size(), 79u) << line;
}

TEST_F(Help, OfEveryCommandFitsAScreen) {
  Surroundings around{std::string(60, 'c'), std::string(100, 's'), "/var/spool/checkrelay",
                      std::string(255, 'h')};
  for (const Command& command : commands()) {
    std::string text = help(command, around);
    expect_a_screen(text, 40);
    EXPECT_THAT(text, HasSubstr("exit status:"));
  }
}

TEST_F(Help, OverviewNamesEveryCommand) {
  EXPECT_EQ(run({"--help"}), kExitOk);
  expect_a_screen(out_, 24);
  for (const Command& command : commands()) {
    const std::size_t blank = command.name.find(' ');
    EXPECT_THAT(out_, HasSubstr("  " + std::string(command.name.substr(0, blank))));
    if (blank == command.name.npos) continue;
    EXPECT_THAT(out_, HasSubstr(std::string(command.name.substr(blank + 1))));
  }
}

TEST_F(Help, ShowsLiveDefaults) {
  ::setenv("CHECKRELAY_SOCKET", "/tmp/other.sock", 1);
  EXPECT_EQ(run({"send", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("[/tmp/other.sock]"));
}

TEST_F(Help, CanBeAskedForInFrontOfTheCommand) {
  EXPECT_EQ(run({"help", "send"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("usage: checkrelay send"));
  EXPECT_EQ(run({"help", "queue"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("queue retry"));
  EXPECT_EQ(run({"help", "queue", "show"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("usage: checkrelay queue show"));
  EXPECT_EQ(run({"help", "sned"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean \"send\"?"));
}

TEST_F(Help, NothingAtAllIsAUsageError) {
  EXPECT_EQ(run({}), kExitUsage);
  EXPECT_THAT(out_, HasSubstr("usage: checkrelay COMMAND"));
}

TEST_F(Help, MistypedCommandIsGuessed) {
  EXPECT_EQ(run({"sned"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("\"sned\" is no command; did you mean \"send\"?"));
}

TEST_F(Help, MistypedSecondWordIsGuessed) {
  EXPECT_EQ(run({"queue", "lst"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean \"queue list\"?"));
}

TEST_F(Help, FamilyAloneNamesItsCommands) {
  EXPECT_EQ(run({"queue"}), kExitUsage);
  EXPECT_THAT(out_, HasSubstr("queue retry"));
  EXPECT_EQ(run({"queue", "--help"}), kExitOk);
}

TEST_F(Help, MistypedOptionIsGuessed) {
  EXPECT_EQ(run({"send", "--hots", "a"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("\"--hots\" is no option of this command; did you mean \"--host\"?"));
}

TEST_F(Help, OptionWithoutItsValueIsAUsageError) { EXPECT_EQ(run({"send", "-m"}), kExitUsage); }

TEST_F(Help, WordTooManyIsAUsageError) {
  EXPECT_EQ(run({"status", "now"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("\"now\" was not expected"));
}

TEST_F(Help, OptionTwiceIsAUsageError) {
  EXPECT_EQ(
      run({"status", "-C", "/a", "-C", "/b"}, {{"status", [](const Arguments&) { return 0; }}}),
      kExitUsage);
}

TEST_F(Help, VersionIsPrinted) {
  EXPECT_EQ(run({"version"}), kExitOk);
  EXPECT_THAT(out_, ::testing::StartsWith("checkrelay "));
  EXPECT_EQ(run({"--version"}), kExitOk);
}

TEST_F(Help, ArgumentsReachTheHandlerAsTheyAreWritten) {
  Arguments seen;
  Handlers handlers{{"send", [&](const Arguments& a) {
                       seen = a;
                       return 7;
                     }}};
  EXPECT_EQ(run({"-C", "/s", "send", "-m", "-5 degrees", "--state=OK", "--stdin", "-S", "[x]", "-H",
                 "send"},
                handlers),
            7);
  EXPECT_EQ(seen.text("socket"), "/s");
  EXPECT_EQ(seen.text("output"), "-5 degrees");
  EXPECT_EQ(seen.text("state"), "OK");
  EXPECT_EQ(seen.text("service"), "[x]");
  EXPECT_EQ(seen.text("host"), "send");
  EXPECT_TRUE(seen.has("stdin"));
  EXPECT_FALSE(seen.has("no-spool"));
}

std::vector<std::string> wrapped(std::vector<std::string> words, Arguments& seen) {
  words.insert(words.begin(), "exec");
  seen = {};
  EXPECT_EQ(run_cli(words, {{"exec",
                             [&](const Arguments& a) {
                               seen = a;
                               return 7;
                             }}}),
            7);
  return seen.rest;
}

TEST_F(Help, AWrappedCommandKeepsItsWords) {
  using Words = std::vector<std::string>;
  Arguments seen;
  EXPECT_EQ(wrapped({"-S", "x", "--", "a", "-S", "--", "--help"}, seen),
            (Words{"a", "-S", "--", "--help"}));
  EXPECT_EQ(seen.text("service"), "x");
  EXPECT_EQ(wrapped({"-Sx", "--retry=2", "--ttl", "-1", "a", "--retry", "3"}, seen),
            (Words{"a", "--retry", "3"}));
  EXPECT_EQ(seen.text("service"), "x");
  EXPECT_EQ(seen.text("retry"), "2");
  EXPECT_EQ(seen.text("ttl"), "-1");
  EXPECT_EQ(wrapped({"-S", "--", "--", "--"}, seen), Words{"--"});
  EXPECT_EQ(seen.text("service"), "--");
  EXPECT_TRUE(wrapped({"-S", "x"}, seen).empty());
}

TEST_F(Help, AWrappersOwnMistakesAreToldAsEver) {
  EXPECT_EQ(run({"exec", "--lokc", "x", "--", "true"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean \"--lock\""));
  EXPECT_EQ(run({"exec", "-S"}), kExitUsage);
}

TEST_F(Help, EmptyOutputIsGivenAllTheSame) {
  Arguments seen;
  run({"send", "-m", "", "-s", "0"}, {{"send", [&](const Arguments& a) {
                                         seen = a;
                                         return 0;
                                       }}});
  EXPECT_TRUE(seen.has("output"));
  EXPECT_EQ(seen.text("output"), "");
}

TEST_F(Help, SocketComesFromOptionThenNamedFileThenEnvironment) {
  std::string file = dir_ + "/c.toml";
  std::ofstream(file) << "agent.socket = \"/from/file\"\n";
  ::setenv("CHECKRELAY_SOCKET", "/from/env", 1);
  EXPECT_EQ(look_around({}).socket, "/from/env");
  EXPECT_EQ(look_around({.values = {{"config", file}}}).socket, "/from/file");
  EXPECT_EQ(look_around({.values = {{"config", file}, {"socket", "/o"}}}).socket, "/o");
}

}  // namespace
}  // namespace checkrelay
