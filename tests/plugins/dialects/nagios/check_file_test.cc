#include <gtest/gtest.h>

#include "plugins/dialects/nagios/dialect.h"
#include "tests/contract/stream_contract.h"

namespace checkrelay::test {
namespace {

constexpr std::string_view kFile =
    "### Active Check Result File ###\n"
    "file_time=1700000000\n"
    "\n"
    "### Nagios Service Check Result ###\n"
    "# Time: Tue Nov 14 22:13:20 2023\n"
    "host_name=db1\n"
    "service_description=Backup\n"
    "check_type=1\n"
    "check_options=0\n"
    "scheduled_check=0\n"
    "latency=0.250000\n"
    "start_time=1700000000.250000\n"
    "finish_time=1700000001.500000\n"
    "early_timeout=1\n"
    "exited_ok=1\n"
    "return_code=2\n"
    "output=no space\\nleft on C:\\\\new|used=100%\n"
    "\n"
    "host_name=db2\n"
    "check_type=1\n"
    "return_code=9\n"
    "output=x\n"
    "\n"
    "host_name=db3\n"
    "check_type=1\n"
    "return_code=2\n"
    "output=behind a dead router\n";

InboundContext check_file(std::size_t max_result = 64 * 1024) {
  InboundContext context;
  context.framing = Framing::file;
  context.file_name = "cAbCdEf";
  context.max_result = max_result;
  return context;
}

Heard read(std::string input, std::size_t max_result = 64 * 1024) {
  return play({"", &nagios_dialect(), check_file(max_result), std::move(input), 0});
}

// The only result of a record with `fields` added to a complete one.
Heard read_record(const std::string& fields) {
  return read("host_name=h\nservice_description=s\ncheck_type=1\nreturn_code=0\noutput=o\n" +
              fields);
}

TEST(CheckFile, ReadsARecord) {
  Heard heard = read(std::string(kFile));
  ASSERT_EQ(heard.results.size(), 2U);
  const CheckResult& r = heard.results[0];
  EXPECT_EQ(r.subject, (Subject{"db1", "Backup"}));
  EXPECT_EQ(r.state, 2);
  EXPECT_EQ(r.output, "no space\nleft on C:\\new");
  EXPECT_EQ(r.perfdata, "used=100%");
  EXPECT_EQ(epoch_seconds(r.time), 1700000001.5);
}

TEST(CheckFile, ARefusedRecordIsToldWithItsFirstLine) {
  Heard heard = read(std::string(kFile));
  ASSERT_EQ(heard.refused.size(), 1U);
  EXPECT_EQ(heard.refused[0].line, 19U);
  EXPECT_EQ(heard.refused[0].what, "return_code: \"9\" is not 0-2");
}

TEST(CheckFile, APassiveHostResultIsAHostState) {
  EXPECT_EQ(read(std::string(kFile)).results.at(1).state, 2);
}

TEST(CheckFile, AnActiveHostResultIsAPluginsExitCode) {
  for (int code = 0; code <= 3; ++code) {
    Heard heard =
        read("host_name=h\ncheck_type=0\nreturn_code=" + std::to_string(code) + "\noutput=o\n");
    ASSERT_EQ(heard.results.size(), 1U);
    EXPECT_EQ(heard.results[0].state, code <= 1 ? 0 : 1) << code;
  }
}

TEST(CheckFile, AnOldFileTimeIsNoReasonToDropIt) {
  EXPECT_EQ(read("file_time=1\n\n" + std::string(kFile)).results.size(), 2U);
}

TEST(CheckFile, AnEarlyTimeoutIsNotBelieved) {
  EXPECT_EQ(read_record("early_timeout=1\n").results.at(0).state, 0);
}

TEST(CheckFile, ACheckThatWasKilledIsCritical) {
  Heard heard = read_record("exited_ok=0\n");
  EXPECT_EQ(heard.results.at(0).state, 2);
  EXPECT_EQ(heard.results.at(0).output, "o (did not exit properly)");
}

TEST(CheckFile, RefusesRecordsThatLackWhatMatters) {
  EXPECT_EQ(read("host_name=h\nservice_description=s\noutput=o\n").refused.at(0).what,
            "return_code: missing");
  EXPECT_EQ(read("host_name=h\nreturn_code=0\n").refused.at(0).what, "output: missing");
  EXPECT_EQ(read("return_code=0\noutput=o\n").refused.at(0).what, "host_name: missing");
  EXPECT_EQ(read_record("finish_time=soon\n").refused.at(0).what,
            "finish_time: \"soon\" is not epoch seconds");
}

TEST(CheckFile, UnknownKeysArePassedOver) {
  EXPECT_EQ(read_record("engine=Naemon\nno equals sign\n").results.size(), 1U);
}

TEST(CheckFile, ALineThatEndsInABackslashGoesOn) {
  EXPECT_EQ(read("host_name=h\nreturn_code=0\ncheck_type=1\noutput=one \\\ntwo\\\\\n")
                .results.at(0)
                .output,
            "one two\\");
}

TEST(CheckFile, AnEmptyFileHoldsNothing) {
  for (const char* text : {"", "\n\n", "# nothing\n", "file_time=1\n\n"}) {
    Heard heard = read(text);
    EXPECT_TRUE(heard.results.empty());
    EXPECT_TRUE(heard.refused.empty());
    EXPECT_TRUE(heard.closed);
  }
}

TEST(CheckFile, AnOverlongRecordCostsOnlyItself) {
  std::string good = "host_name=h\nreturn_code=0\noutput=o\n\n";
  Heard heard =
      read("host_name=h\nreturn_code=0\noutput=" + std::string(5000, 'x') + "\n\n" + good, 1000);
  EXPECT_EQ(heard.results.size(), 1U);
  ASSERT_EQ(heard.refused.size(), 1U);
  EXPECT_EQ(heard.refused[0].what.find("a record longer than"), 0U);
}

TEST(CheckFile, ARecordOfManyLinesIsBoundedToo) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "check_options=0\n";
  Heard heard = read("host_name=h\nreturn_code=0\noutput=o\n" + many, 1000);
  EXPECT_TRUE(heard.results.empty());
  EXPECT_EQ(heard.refused.size(), 1U);
}

TEST(CheckFile, InvalidUtf8InOutputIsReplaced) {
  EXPECT_EQ(read_record("output=caf\xE9\n").results.at(0).output, "caf\xEF\xBF\xBD");
}

TEST(CheckFile, WhatAdmissionRefusesIsToldWithItsLine) {
  Player player(nagios_dialect(), check_file());
  player.feed("\n\nhost_name=h\nreturn_code=0\noutput=o\n");
  player.finish();
  player.settle_next(false);
  ASSERT_EQ(player.heard().refused.size(), 1U);
  EXPECT_EQ(player.heard().refused[0].line, 3U);
  EXPECT_TRUE(player.heard().closed);
}

TEST(CheckFile, SaysThatItReadsFilesBeforeThereIsOne) {
  EXPECT_NE(nagios_dialect().inbound({.framing = Framing::file}), nullptr);
}

TEST(CheckFile, OnlyCheckResultNamesAreItsOwn) {
  InboundContext context = check_file();
  for (const char* name : {"cAbCde", "cAbCdefg", "dAbCdef", "c"}) {
    context.file_name = name;
    EXPECT_EQ(nagios_dialect().inbound(context), nullptr) << name;
  }
  context = check_file();
  context.framing = Framing::stream;
  EXPECT_EQ(nagios_dialect().inbound(context), nullptr);
}

}  // namespace

std::vector<StreamCase> stream_cases() {
  std::string overlong = "output=" + std::string(900, 'x') + "\n\n" + std::string(kFile);
  return {{"check_file", &nagios_dialect(), check_file(), std::string(kFile), 2},
          {"overlong", &nagios_dialect(), check_file(600), overlong, 2}};
}

}  // namespace checkrelay::test
