// The [[check]] tables.
#include "agent/config/checks.h"

#include <gmock/gmock.h>

#include "small_registry.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kHead =
    "agent = {socket = \"/tmp/s\", hostname = \"edge1\"}\n"
    "destination = [{name = \"d\", type = \"file\", path = \"/tmp/d\"}]\n";

Loaded load(std::string_view checks) {
  return parse_config(std::string(kHead) + std::string(checks), "c", testing::small_registry());
}

CheckConfig check(std::string_view text) {
  Loaded loaded = load(text);
  for (const Fault& fault : loaded.faults) ADD_FAILURE() << to_string(fault);
  if (loaded.config.checks.size() != 1) return {};
  return loaded.config.checks.front();
}

std::string faults(std::string_view text) {
  std::string out;
  for (const Fault& fault : load(text).faults) out += to_string(fault) + "\n";
  return out;
}

// One check, of which the case says what is wrong; its lines begin at 4.
std::string fault_of(const std::string& lines) { return faults("[[check]]\n" + lines); }

constexpr std::string_view kPlain =
    "[[check]]\nservice = \"Disk\"\ncommand = [\"/bin/check\", \"-w\", \"\"]\nevery = \"60s\"\n";

TEST(CheckConfig, TheLeastIsAServiceACommandAndHowOften) {
  const CheckConfig c = check(kPlain);
  EXPECT_EQ(subject_of(c), (Subject{"edge1", "Disk"}));
  EXPECT_THAT(c.command, ElementsAre("/bin/check", "-w", ""));
  const RunTiming t = run_timing(c);
  EXPECT_EQ(t.every, 60s);
  EXPECT_EQ(t.spread, 60s);
  EXPECT_EQ(t.jitter, 0s);
  EXPECT_FALSE(t.schedule);
  EXPECT_EQ(c.options.duration("timeout"), 30s);
}

TEST(CheckConfig, WithoutAServiceItIsAHostCheck) {
  const CheckConfig c = check("[[check]]\nhost = \"r1\"\ncommand = [\"x\"]\nevery = \"60s\"\n");
  EXPECT_EQ(subject_of(c), (Subject{"r1", ""}));
}

TEST(CheckConfig, AScheduleHasAZoneAndNoSpreadOfItsOwn) {
  const CheckConfig c = check(
      "[[check]]\ncommand = [\"x\"]\nschedule = \"0 3 * * 1-5\"\ntimezone = \"Asia/Tokyo\"\n");
  const RunTiming t = run_timing(c);
  ASSERT_TRUE(t.schedule);
  EXPECT_EQ(t.schedule->text(), "0 3 * * 1-5");
  EXPECT_EQ(t.zone.name(), "Asia/Tokyo");
  EXPECT_EQ(t.every, 0s);
  EXPECT_EQ(t.spread, 0s);
}

TEST(CheckConfig, TheDefaultTimeoutIsNeverMoreThanEvery) {
  const std::string quick = "[[check]]\ncommand = [\"x\"]\nevery = \"5s\"\n";
  EXPECT_EQ(check(quick).options.duration("timeout"), 5s);
  EXPECT_EQ(check(quick + "timeout = \"8s\"\n").options.duration("timeout"), 8s);
}

TEST(CheckConfig, EachFaultHasItsLine) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"every = \"60s\"\n", "c:3: check.command: is required\n"},
      {"command = []\nevery = \"60s\"\n", "c:4: check.command: names no program\n"},
      {"command = [\"\"]\nevery = \"60s\"\n", "c:4: check.command: names no program\n"},
      {"command = \"check_disk -w 10%\"\nevery = \"60s\"\n",
       "c:4: check.command: expected an array, the program and its arguments, got a string; there "
       "is no shell\n"},
      {"command = [\"x\", 5]\nevery = \"60s\"\n",
       "c:4: check.command: expected strings only, got an integer\n"},
      {"command = [\"bin/x\"]\nevery = \"60s\"\n",
       "c:4: check.command: \"bin/x\" is neither an absolute path nor a name for PATH\n"},
      {"command = [\"x\", \"a\\u0000b\"]\nevery = \"60s\"\n",
       "c:4: check.command: holds a NUL: \"a\\x00b\"\n"},
      {"command = [\"x\"]\n", "c:3: check.every: is required, or schedule\n"},
      {"command = [\"x\"]\nevery = \"0s\"\n", "c:5: check.every: must not be zero\n"},
      {"command = [\"x\"]\nevery = \"50ms\"\n", "c:5: check.every: must not be less than 100ms\n"},
      {"command = [\"x\"]\nevery = \"often\"\n",
       "c:5: check.every: \"often\" is no duration such as \"90s\" or \"24h\"\n"},
      {"command = [\"x\"]\nevery = \"60s\"\nschedule = \"@daily\"\n",
       "c:6: check.schedule: given together with every\n"},
      {"command = [\"x\"]\nevery = \"60s\"\ntimezone = \"UTC\"\n",
       "c:6: check.timezone: goes with schedule\n"},
      {"command = [\"x\"]\nevery = \"60s\"\ntimeout = \"0s\"\n",
       "c:6: check.timeout: must not be zero\n"},
      {"command = [\"x\"]\nevery = \"60s\"\nspread = \"61s\"\n",
       "c:6: check.spread: must not be more than every\n"},
      {"command = [\"x\"]\nevery = \"60s\"\njitter = \"60s\"\n",
       "c:6: check.jitter: must be less than every\n"},
      {"command = [\"x\"]\nevery = \"60s\"\njitter = \"10s\"\nttl = \"70s\"\n",
       "c:7: check.ttl: must be more than every and jitter, or each result breaks its promise\n"},
      {"command = [\"x\"]\nevery = \"60s\"\nenvironment = [\"A=1\", \"B\"]\n",
       "c:6: check.environment: \"B\" is not NAME=VALUE\n"},
      {"command = [\"x\"]\nevery = \"60s\"\nuser = \"no-such-user\"\n",
       "c:6: check.user: no user is called \"no-such-user\"\n"},
      {"service = \"Disk\"\ncomand = [\"x\"]\nevery = \"60s\"\n",
       "c:3: check.Disk.command: is required\n"
       "c:5: check.Disk.comand: unknown key; did you mean \"command\"?\n"},
      {"service = 5\ncommand = [\"x\"]\nevery = \"60s\"\n",
       "c:4: check.service: expected a string, got an integer\n"},
  };
  for (const auto& [lines, expected] : cases) EXPECT_EQ(fault_of(lines), expected) << lines;
  EXPECT_THAT(fault_of("command = [\"x\"]\nschedule = \"31 2\"\n"),
              HasSubstr("c:5: check.schedule"));
  EXPECT_THAT(fault_of("command = [\"x\"]\nschedule = \"0 3 * * *\"\ntimezone = \"Mars/Base\"\n"),
              HasSubstr("c:6: check.timezone"));
  EXPECT_THAT(fault_of("service = \"a\\u0001b\"\ncommand = [\"x\"]\nevery = \"60s\"\n"),
              HasSubstr("control character"));
  EXPECT_EQ(faults("check = 3\n"), "c:3: check: is written as [[check]] tables\n");
}

TEST(CheckConfig, TheSameSubjectTwiceIsAFault) {
  EXPECT_EQ(faults(std::string(kPlain) + std::string(kPlain)),
            "c:7: check.Disk: \"edge1;Disk\" is what line 3 checks already\n");
  EXPECT_EQ(faults(std::string(kPlain) + std::string(kPlain) + "host = \"edge2\"\n"), "");
}

TEST(CheckCommand, TheEnvironmentIsOursUnlessItIsSet) {
  Account self = own_account();
  self.name = "joe";
  self.home = "/home/joe";
  const auto plain = child_command(check(kPlain), self, 100);
  ASSERT_TRUE(plain);
  EXPECT_THAT(
      plain->environment,
      ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                  "LANG=C.UTF-8", "HOME=/home/joe", "USER=joe", "LOGNAME=joe", "SHELL=/bin/sh"));
  EXPECT_EQ(plain->keep, 100U);
  EXPECT_EQ(plain->timeout, 30s);
  EXPECT_FALSE(plain->account);
  const auto set = child_command(
      check(std::string(kPlain) + "environment = [\"PATH=/opt\", \"A=b=c\"]\n"), self, 100);
  EXPECT_THAT(set->environment, Contains("PATH=/opt"));
  EXPECT_THAT(set->environment, Contains("A=b=c"));
  EXPECT_EQ(set->environment.size(), 7U);
}

TEST(CheckCommand, OnlyRootBecomesAnotherUser) {
  Account root, joe;
  joe.uid = joe.gid = 12345;
  joe.name = "joe";
  const CheckConfig c = check(std::string(kPlain) + "user = \"nobody\"\n");
  const auto as_root = child_command(c, root, 100);
  ASSERT_TRUE(as_root);
  ASSERT_TRUE(as_root->account);
  EXPECT_EQ(as_root->account->name, "nobody");
  EXPECT_THAT(as_root->environment, Contains("USER=nobody"));
  const auto as_joe = child_command(c, joe, 100);
  ASSERT_FALSE(as_joe);
  EXPECT_EQ(as_joe.error().what,
            "only an agent that is root can run it as \"nobody\"; this one is \"joe\"");
  const auto as_itself = child_command(c, *find_account("nobody"), 100);
  ASSERT_TRUE(as_itself);
  EXPECT_FALSE(as_itself->account);
}

}  // namespace
}  // namespace checkrelay
