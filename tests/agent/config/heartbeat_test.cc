#include "agent/config/heartbeat.h"

#include <gtest/gtest.h>

#include "agent/config/config.h"
#include "small_registry.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

Loaded load(std::string_view more) {
  return parse_config(
      "agent = {socket = \"/tmp/s\", hostname = \"edge7\"}\n"
      "destination = [{name = \"d\", type = \"file\", path = \"/tmp/d\"}]\n" +
          std::string(more),
      "c", testing::small_registry());
}

std::string faults_of(std::string_view text) {
  std::string out;
  for (const Fault& fault : load(text).faults) out += to_string(fault) + "\n";
  return out;
}

HeartbeatOptions options_of(std::string_view text) {
  const Loaded loaded = load(text);
  EXPECT_TRUE(loaded.faults.empty()) << faults_of(text);
  return heartbeat_options(*loaded.config.heartbeat, loaded.config.limits);
}

TEST(HeartbeatConfig, WithoutTheSectionThereIsNone) { EXPECT_FALSE(load("").config.heartbeat); }

TEST(HeartbeatConfig, AnEmptySectionHasTheDefaults) {
  const HeartbeatOptions o = options_of("[heartbeat]\n[limits]\nmax_queue = \"100MiB\"\n");
  EXPECT_EQ(to_string(o.subject), "edge7;checkrelay");
  EXPECT_EQ(o.every, Duration(60s));
  EXPECT_EQ(o.pending, (Threshold<std::uint64_t>{0, 0}));
  EXPECT_EQ(o.oldest, (Threshold<Duration>{15min, 4h}));
  EXPECT_EQ(o.dead, (Threshold<std::uint64_t>{1, 0}));
  EXPECT_EQ(o.trouble, (Threshold<Duration>{5min, 1h}));
  EXPECT_EQ(o.journal_most, 100U << 20U);
  EXPECT_EQ(o.journal.warn, (100U << 20U) / 100 * 80);
  EXPECT_EQ(o.journal.crit, (100U << 20U) / 100 * 95);
}

TEST(HeartbeatConfig, EverythingCanBeSaid) {
  const HeartbeatOptions o = options_of(
      "[heartbeat]\nservice = \"Relay\"\nhost = \"site-7\"\nevery = \"10s\"\nwarn_pending = 5\n"
      "crit_pending = 5\nwarn_oldest = \"0s\"\ncrit_oldest = \"1m\"\ncrit_dead = 9\n");
  EXPECT_EQ(to_string(o.subject), "site-7;Relay");
  EXPECT_EQ(o.every, Duration(10s));
  EXPECT_EQ(o.pending, (Threshold<std::uint64_t>{5, 5}));
  EXPECT_EQ(o.oldest, (Threshold<Duration>{0s, 1min}));
  EXPECT_EQ(o.dead, (Threshold<std::uint64_t>{1, 9}));
}

TEST(HeartbeatConfig, FaultsSayWhere) {
  EXPECT_EQ(faults_of("[heartbeat]\nevery = \"0s\"\n"), "c:4: heartbeat.every: must not be zero\n");
  EXPECT_EQ(faults_of("[heartbeat]\nevery = \"1ms\"\n"),
            "c:4: heartbeat.every: must not be less than 100ms\n");
  EXPECT_EQ(faults_of("[heartbeat]\nwarn_pending = 10\ncrit_pending = 9\n"),
            "c:5: heartbeat.crit_pending: crit_pending must not be less than warn_pending\n");
  EXPECT_EQ(faults_of("[heartbeat]\nwarn_oldest = \"5h\"\n"),  // the other is the default
            "c:4: heartbeat.warn_oldest: crit_oldest must not be less than warn_oldest\n");
  EXPECT_EQ(faults_of("[heartbeat]\nservice = \"\"\nhost = \"\"\n"),
            "c:4: heartbeat.service: must not be empty\nc:5: heartbeat.host: must not be empty\n");
  EXPECT_EQ(faults_of("[heartbeat]\nservice = \"a\\u0001\"\n").substr(0, 24),
            "c:4: heartbeat.service: ");
  EXPECT_EQ(faults_of("[heartbeat]\nwarn_journal = 101\n").substr(0, 29),
            "c:4: heartbeat.warn_journal: ");
  EXPECT_EQ(faults_of("[heartbeat]\nwarn_ded = 1\n"),
            "c:4: heartbeat.warn_ded: unknown key; did you mean \"warn_dead\"?\n");
  EXPECT_EQ(faults_of("heartbeat = 3\n"), "c:3: heartbeat: is written as a [heartbeat] table\n");
  EXPECT_EQ(faults_of("[[heartbeat]]\n"), "c:3: heartbeat: is written as a [heartbeat] table\n");
}

}  // namespace
}  // namespace checkrelay
