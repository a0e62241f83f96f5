// [[freshness]]: what it is read into, and every sort of fault.
#include "agent/config/freshness.h"

#include <gtest/gtest.h>

#include "small_registry.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRest =
    "agent.socket = \"/tmp/s\"\n"
    "destination = [{name = \"d\", type = \"file\", path = \"/tmp/d\"}]\n";

Loaded load(const std::string& text) {
  return parse_config(std::string(kRest) + text, "c", testing::small_registry());
}

std::string faults_of(const std::string& text) {
  std::string out;
  for (const Fault& fault : load(text).faults) out += to_string(fault) + "\n";
  return out;
}

std::string warnings_of(const std::string& text) {
  std::string out;
  for (const Fault& fault : load(text).warnings) out += to_string(fault) + "\n";
  return out;
}

TEST(FreshnessConfig, AnEntryIsReadWhole) {
  const Loaded loaded = load(
      "[[freshness]]\nhost = \"db*\"\nservice = \"Backup\"\nschedule = \"0 3 * * 1-5\"\n"
      "timezone = \"Europe/Stockholm\"\ngrace = \"2h\"\nearly = \"10m\"\nrepeat = \"1h\"\n"
      "run_limit = \"3h\"\nsettle = \"1m\"\nexpect = [\"Backup\"]\ngroup = \"site-7\"\n");
  ASSERT_TRUE(loaded.faults.empty()) << to_string(loaded.faults.front());
  const FreshnessEntry entry = freshness_entry(loaded.config.freshness.at(0)).value();
  EXPECT_EQ(entry.host, "db*");
  EXPECT_EQ(entry.service, "Backup");
  EXPECT_EQ(entry.promise.schedule->text(), "0 3 * * 1-5");
  EXPECT_EQ(entry.promise.zone.name(), "Europe/Stockholm");
  EXPECT_EQ(entry.promise.grace, 2h);
  EXPECT_EQ(entry.promise.early, 10min);
  EXPECT_EQ(entry.promise.repeat, 1h);
  EXPECT_EQ(entry.promise.run_limit, 3h);
  EXPECT_EQ(entry.promise.settle, 1min);
  EXPECT_EQ(entry.expect, std::vector<std::string>{"Backup"});
  EXPECT_EQ(entry.group, "site-7");
}

TEST(FreshnessConfig, TheLeastIsAnInterval) {
  const Loaded loaded = load("[[freshness]]\nevery = \"24h\"\n");
  ASSERT_TRUE(loaded.faults.empty());
  const FreshnessConfig& config = loaded.config.freshness.at(0);
  const FreshnessEntry entry = freshness_entry(config).value();
  EXPECT_EQ(entry.host, "*");
  EXPECT_EQ(entry.service, "*");
  EXPECT_EQ(entry.promise.every, 24h);
  EXPECT_FALSE(entry.promise.settle);
  EXPECT_EQ(entry.promise.zone, Zone::find("").value());
  EXPECT_EQ(config.options.text("output"), "no result since {last}");
}

TEST(FreshnessConfig, AStateOfEitherKindFitsHostsAndServices) {
  EXPECT_EQ(overdue_state("CRITICAL", false), 2);
  EXPECT_EQ(overdue_state("CRITICAL", true), 1);
  EXPECT_EQ(overdue_state("unknown", true), 2);
  EXPECT_EQ(overdue_state("WARNING", true), 1);
  EXPECT_EQ(overdue_state("DOWN", true), 1);
  EXPECT_EQ(overdue_state("DOWN", false), 2);
  EXPECT_EQ(overdue_state("UNREACHABLE", false), 3);
  EXPECT_EQ(overdue_state("OK", true), 0);
}

TEST(FreshnessConfig, FaultsNameKeyAndLine) {
  const std::string head = "[[freshness]]\nhost = \"a\"\n";
  EXPECT_EQ(faults_of(head), "c:3: freshness: every or schedule is needed\n");
  EXPECT_EQ(faults_of(head + "every = \"1h\"\nschedule = \"0 3 * * *\"\ngrace = \"1h\"\n"),
            "c:5: freshness.every: there is a schedule already\n");
  EXPECT_EQ(faults_of(head + "schedule = \"0 0 31 2 *\"\ngrace = \"1h\"\n"),
            "c:5: freshness.schedule: day of month: \"31\" is impossible: it does not come in "
            "month \"2\"\n");
  EXPECT_EQ(faults_of(head + "schedule = \"0 25 * * *\"\ngrace = \"1h\"\n"),
            "c:5: freshness.schedule: hour: \"25\" is not 0 to 23\n");
  EXPECT_EQ(faults_of(head + "schedule = \"0 3 * * *\"\n"),
            "c:3: freshness.grace: with a schedule it is needed: no job ends as it starts\n");
  EXPECT_EQ(
      faults_of(head + "every = \"1h\"\ntimezone = \"Europe/Stokholm\"\n"),
      "c:6: freshness.timezone: \"Europe/Stokholm\" is no time zone that this system knows\n");
  EXPECT_EQ(faults_of(head + "every = \"1h\"\nstate = \"BAD\"\n"),
            "c:6: freshness.state: \"BAD\" is no state of a service or a host\n");
  EXPECT_EQ(faults_of(head + "every = \"1h\"\noutput = \"since {lst}\"\n"),
            "c:6: freshness.output: \"{lst}\" is not {last}, {due}, {age} or {schedule}\n");
  EXPECT_EQ(faults_of(head + "every = \"1h\"\nservice = \"B*\"\nexpect = [\"Logs\"]\n"),
            "c:7: freshness.expect: \"Logs\" is not covered by service \"B*\"\n");
  EXPECT_EQ(faults_of(head + "every = \"0s\"\n"), "c:3: freshness: every or schedule is needed\n");
  EXPECT_EQ(faults_of(head + "evry = \"1h\"\n"),
            "c:5: freshness.evry: unknown key; did you mean \"every\"?\n");
}

TEST(FreshnessConfig, WhatTimeAloneMadeWrongIsAWarning) {
  const std::string over = "[[freshness]]\nhost = \"a\"\nschedule = \"2020-01-01 03:00\"\n";
  EXPECT_EQ(warnings_of(over + "grace = \"1h\"\n"),
            "c:5: freshness.schedule: \"2020-01-01 03:00\" is over: nothing comes any more\n");
  EXPECT_EQ(faults_of(over + "grace = \"1h\"\n"), "");
  EXPECT_EQ(load(over + "grace = \"1h\"\n").config.freshness.size(), 1U);
  EXPECT_EQ(faults_of(over),
            "c:3: freshness.grace: with a schedule it is needed: no job ends as it starts\n");
  EXPECT_EQ(warnings_of(over), "");
}

TEST(FreshnessConfig, EntriesThatOverlapAreNamed) {
  EXPECT_EQ(faults_of("[[freshness]]\nhost = \"db*\"\nevery = \"1h\"\n"
                      "[[freshness]]\nhost = \"*1\"\nservice = \"Backup\"\nevery = \"2h\"\n"),
            "c:7: freshness.host: \"*1\" with service \"Backup\" covers subjects of entry 1 too "
            "(line 3)\n");
}

}  // namespace
}  // namespace checkrelay
