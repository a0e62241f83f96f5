#include "agent/flow/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace checkrelay {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

Status sample() {
  Status s;
  s.uptime = 12500ms;
  s.now = Wall(1000s);
  s.bytes = 40960;
  s.intakes.push_back({"unix", "/run/x.sock", 10, 1});
  DestinationStatus& d = s.destinations.emplace_back();
  d.name = "central";
  d.type = "op5";
  d.state = "ok";
  d.lane.pending = 3;
  d.lane.in_flight = 1;
  d.lane.delivered = 10;
  d.lane.superseded = 2;
  d.lane.expired = 4;
  d.lane.dead = 5;
  d.lane.retries = 6;
  return s;
}

std::set<std::string> keys(const json& object) {
  std::set<std::string> out;
  for (const auto& [key, value] : object.items()) out.insert(key);
  return out;
}

void expect_keys(const json& object, const std::set<std::string>& promised) {
  for (const std::string& key : promised) EXPECT_TRUE(object.contains(key)) << key;
}

// Scripts rely on these names: they do not change.
TEST(StatusJson, HasThePublicKeys) {
  json j = json::parse(status_json(sample()));
  expect_keys(j, {"version", "uptime_s", "journal", "intakes", "destinations", "freshness"});
  expect_keys(j["journal"], {"pending", "dead", "bytes", "oldest_pending_s"});
  EXPECT_EQ(keys(j["intakes"][0]), (std::set<std::string>{"type", "where", "accepted", "refused"}));
  expect_keys(j["destinations"][0],
              {"name", "type", "state", "pending", "in_flight", "delivered", "superseded",
               "expired", "dead", "retries", "last_error", "next_attempt_s", "paused_since"});
  EXPECT_EQ(keys(j["freshness"]), (std::set<std::string>{"expected", "overdue", "in_outage"}));
}

TEST(Status, TellsWhatReadingBackFoundWhereThatIsOn) {
  Status s = sample();
  EXPECT_FALSE(json::parse(status_json(s))["destinations"][0].contains("verify"));
  s.destinations[0].read_back = ReadBack{5, 2, 1, "db1;Backup: why"};
  const json verify = json::parse(status_json(s))["destinations"][0]["verify"];
  EXPECT_EQ(verify,
            json::parse(R"({"applied":5,"not_applied":2,"unclear":1,"last":"db1;Backup: why"})"));
  const std::string metrics = status_metrics(s);
  for (const char* line :
       {"outcome=\"applied\"} 5", "outcome=\"not_applied\"} 2", "outcome=\"unclear\"} 1"})
    EXPECT_NE(
        metrics.find(std::string("checkrelay_read_back_total{destination=\"central\",") + line),
        std::string::npos);
}

TEST(Status, TellsOfHeartbeatsWhereThereAreSome) {
  Status s = sample();
  EXPECT_FALSE(json::parse(status_json(s))["destinations"][0].contains("heartbeat"));
  HeartbeatCounts& h = s.destinations[0].heartbeat.emplace();
  EXPECT_EQ(json::parse(status_json(s))["destinations"][0]["heartbeat"],
            json::parse(R"({"sent":0,"refused":0,"superseded":0,"taken":null,"last_sent":null,
                            "last_answer":null})"));
  h = {5, 2, 7, Wall(60s), "no such service", false};
  EXPECT_EQ(json::parse(status_json(s))["destinations"][0]["heartbeat"],
            json::parse(R"({"sent":5,"refused":2,"superseded":7,"taken":false,
                            "last_sent":"1970-01-01T00:01:00.000Z",
                            "last_answer":"no such service"})"));
  const std::string metrics = status_metrics(s);
  for (const char* line :
       {"checkrelay_heartbeats_total{destination=\"central\",outcome=\"sent\"} 5",
        "checkrelay_heartbeats_total{destination=\"central\",outcome=\"refused\"} 2",
        "checkrelay_heartbeats_total{destination=\"central\",outcome=\"superseded\"} 7",
        "checkrelay_heartbeat_last_sent_seconds{destination=\"central\"} 60"})
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
}

TEST(Status, TellsOfLocalChecks) {
  Status s = sample();
  s.checks = {12, 2, 1, 1034, 3, 4, 1500ms};
  EXPECT_EQ(json::parse(status_json(s))["checks"],
            json::parse(R"({"configured":12,"running":2,"waiting":1,"runs":1034,"late":3,
                            "skipped":4,"worst_late_s":1.5})"));
  const std::string metrics = status_metrics(s);
  for (const char* line :
       {"checkrelay_checks 12\n", "checkrelay_checks_running 2\n", "checkrelay_checks_waiting 1\n",
        "checkrelay_check_runs_total 1034\n", "checkrelay_check_late_total 3\n",
        "checkrelay_check_skipped_total 4\n", "checkrelay_check_worst_late_seconds 1.5\n"})
    EXPECT_NE(metrics.find(line), std::string::npos) << line;
}

TEST(Status, TellsOfAPause) {
  Status s = sample();
  EXPECT_TRUE(json::parse(status_json(s))["destinations"][0]["paused_since"].is_null());
  EXPECT_NE(status_metrics(s).find("checkrelay_destination_paused{destination=\"central\"} 0"),
            std::string::npos);
  s.destinations[0].lane.paused = Wall(60s);
  EXPECT_EQ(json::parse(status_json(s))["destinations"][0]["paused_since"],
            format_rfc3339(Wall(60s)));
  EXPECT_NE(status_metrics(s).find("checkrelay_destination_paused{destination=\"central\"} 1"),
            std::string::npos);
}

TEST(StatusJson, SaysWhatIs) {
  json j = json::parse(status_json(sample()));
  EXPECT_EQ(j["version"], CHECKRELAY_VERSION);
  EXPECT_EQ(j["uptime_s"], 12.5);
  EXPECT_EQ(j["journal"]["bytes"], 40960);
  EXPECT_EQ(j["journal"]["dead"], 5);
  EXPECT_EQ(j["intakes"][0]["accepted"], 10);
  EXPECT_EQ(j["intakes"][0]["refused"], 1);
  const json& d = j["destinations"][0];
  EXPECT_EQ(d["pending"], 3);
  EXPECT_EQ(d["in_flight"], 1);
  EXPECT_EQ(d["delivered"], 10);
  EXPECT_EQ(d["superseded"], 2);
  EXPECT_EQ(d["expired"], 4);
  EXPECT_EQ(d["retries"], 6);
}

TEST(StatusJson, WhatThereIsNotIsNull) {
  json j = json::parse(status_json(sample()));
  EXPECT_TRUE(j["journal"]["oldest_pending_s"].is_null());
  EXPECT_TRUE(j["destinations"][0]["last_error"].is_null());
  EXPECT_TRUE(j["destinations"][0]["next_attempt_s"].is_null());
}

TEST(StatusJson, TroubleIsTold) {
  Status s = sample();
  s.destinations[0].state = "backoff";
  s.destinations[0].last_error = "connection \"refused\"\n";
  s.destinations[0].next_attempt = 1500ms;
  s.destinations[0].lane.oldest = Wall(990s);
  json j = json::parse(status_json(s));
  EXPECT_EQ(j["destinations"][0]["last_error"], "connection \"refused\"\n");
  EXPECT_EQ(j["destinations"][0]["next_attempt_s"], 1.5);
  EXPECT_EQ(j["journal"]["oldest_pending_s"], 10.0);
}

TEST(StatusJson, AWallClockThatJumpedBackMakesNoNegativeAge) {
  Status s = sample();
  s.destinations[0].lane.oldest = Wall(2000s);
  EXPECT_EQ(json::parse(status_json(s))["journal"]["oldest_pending_s"], 0.0);
}

TEST(StatusJson, InsecureIsShown) {
  Status s = sample();
  EXPECT_FALSE(json::parse(status_json(s))["destinations"][0].contains("insecure"));
  s.destinations[0].insecure = true;
  EXPECT_EQ(json::parse(status_json(s))["destinations"][0]["insecure"], true);
}

TEST(StatusMetrics, CountWhatTheJsonCounts) {
  std::string text = status_metrics(sample());
  for (std::string line :
       {"checkrelay_delivered_total{destination=\"central\"} 10", "checkrelay_uptime_seconds 12.5",
        "checkrelay_dead{destination=\"central\"} 5",
        "checkrelay_pending{destination=\"central\"} 3",
        "checkrelay_accepted_total{type=\"unix\",where=\"/run/x.sock\"} 10",
        "checkrelay_destination_state{destination=\"central\",state=\"ok\"} 1"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

}  // namespace
}  // namespace checkrelay
