#include "plugins/dialects/native/text_line.h"

#include <gtest/gtest.h>

namespace checkrelay::native {
namespace {

Result<CheckResult> command(std::string_view line) {
  std::size_t mended = 0;
  return decode_command(line, mended);
}
Result<CheckResult> nsca(std::string_view line) {
  std::size_t mended = 0;
  return decode_nsca(line, mended);
}
std::string fault(const Result<CheckResult>& r) { return r ? "" : r.error().what; }

TEST(Command, ReadsAServiceResult) {
  auto r = command("[1700000000] PROCESS_SERVICE_CHECK_RESULT;db1;Backup;2;a;b\\nmore \\\\n|x=1");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->subject, (Subject{"db1", "Backup"}));
  EXPECT_EQ(r->state, 2);
  EXPECT_EQ(r->output, "a;b\nmore \\n");
  EXPECT_EQ(r->perfdata, "x=1");
  EXPECT_EQ(epoch_seconds(r->time), 1700000000);
}

TEST(Command, ReadsAHostResult) {
  auto r = command("[1700000000] PROCESS_HOST_CHECK_RESULT;db1;1;gone");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->subject, (Subject{"db1", ""}));
  EXPECT_EQ(r->state, 1);
  EXPECT_EQ(r->output, "gone");
}

TEST(Command, RefusesOtherCommandsByName) {
  EXPECT_EQ(fault(command("[1] SHUTDOWN_PROGRAM")),
            "command: \"SHUTDOWN_PROGRAM\" is not taken here");
  EXPECT_EQ(fault(command("[1] PROCESS_FILE;/etc/passwd;1")),
            "command: \"PROCESS_FILE\" is not taken here");
}

TEST(Command, RefusesCodesThatNagiosWouldTurnIntoUnknown) {
  EXPECT_EQ(fault(command("[1] PROCESS_SERVICE_CHECK_RESULT;h;s;9;o")), "state: \"9\" is not 0-3");
  EXPECT_EQ(fault(command("[1] PROCESS_HOST_CHECK_RESULT;h;3;o")), "state: \"3\" is not 0-2");
}

TEST(Command, RefusesWhatIsIncomplete) {
  EXPECT_EQ(fault(command("[1] PROCESS_SERVICE_CHECK_RESULT;h;s;0")),
            "PROCESS_SERVICE_CHECK_RESULT has 3 of 4 fields: \"h;s;0\"");
  EXPECT_EQ(fault(command("[1] PROCESS_SERVICE_CHECK_RESULT;h;;0;o")), "service: empty");
  EXPECT_EQ(fault(command("[1] PROCESS_HOST_CHECK_RESULT;;0;o")), "host: empty");
  EXPECT_EQ(fault(command("[x] PROCESS_HOST_CHECK_RESULT;h;0;o")),
            "time: \"x\" is not epoch seconds");
  for (const char* line : {"", "[", "[1", "[]", "[1]", "[1] ", "[1];;;"})
    EXPECT_NE(fault(command(line)), "") << line;
}

TEST(Nsca, ReadsAServiceResult) {
  auto r = nsca("db1\tBackup\t1\tslow\ttoday|t=9  \r");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->subject, (Subject{"db1", "Backup"}));
  EXPECT_EQ(r->state, 1);
  EXPECT_EQ(r->output, "slow\ttoday");
  EXPECT_EQ(r->perfdata, "t=9");
  EXPECT_EQ(r->time, Wall{});
}

TEST(Nsca, ReadsAHostResultOfThreeFields) {
  auto r = nsca("db1\t2\tbehind a dead router");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->subject, (Subject{"db1", ""}));
  EXPECT_EQ(r->state, 2);
}

TEST(Nsca, AnEmptyServiceIsAHostCheck) {
  auto r = nsca("db1\t\t1\tgone");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_TRUE(r->subject.is_host());
}

TEST(Nsca, ThreeFieldsWithoutAStateAreRefusedNotGuessed) {
  EXPECT_EQ(fault(nsca("db1\tBackup\t0")),
            "state: \"Backup\" is not 0-2, in three fields (a host check)");
  EXPECT_NE(fault(nsca("db1\tUP\tfine")), "");
}

TEST(Nsca, RefusesOtherText) {
  for (const char* line : {"", "hello", "a\tb", "\tBackup\t0\tx", "db1\tBackup\tOK\tx"})
    EXPECT_NE(fault(nsca(line)), "") << line;
}

TEST(Nsca, InvalidUtf8InOutputIsReplacedAndCounted) {
  std::size_t mended = 0;
  auto r = decode_nsca("db1\tBackup\t0\tcaf\xE9", mended);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->output, "caf\xEF\xBF\xBD");
  EXPECT_EQ(mended, 1U);
}

}  // namespace
}  // namespace checkrelay::native
