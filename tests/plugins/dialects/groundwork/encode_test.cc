#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

const Identity kIdentity{"NAGIOS", "localhost", ""};

CheckResult backup() {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  r.state = 1;
  r.output = "took 91 min";
  r.perfdata = "dur=5460s";
  r.time = Wall(std::chrono::milliseconds(1'767'608'100'250));
  return r;
}

nlohmann::json encoded(const CheckResult& r, const Identity& identity = kIdentity) {
  return nlohmann::json::parse(encode_item(r, Format::json, identity));
}

std::string xml(const CheckResult& r) { return encode_item(r, Format::xml, kIdentity); }

TEST(GroundWorkItem, IsAsDocumented) {
  EXPECT_EQ(encoded(backup()), nlohmann::json::parse(R"({"hostName":"db1","description":"Backup",
              "monitorStatus":"WARNING","appType":"NAGIOS","deviceIdentification":"db1",
              "monitorServer":"localhost","lastCheckTime":"2026-01-05T10:15:00.250+0000",
              "properties":{"LastPluginOutput":"took 91 min","PerformanceData":"dur=5460s"}})"));
}

TEST(GroundWorkItem, OfAHostHasNoDescription) {
  CheckResult r = backup();
  r.subject.service.clear();
  auto item = encoded(r, {"RELAY", "", "agent-7"});
  EXPECT_FALSE(item.contains("description"));
  EXPECT_FALSE(item.contains("monitorServer"));
  EXPECT_EQ(item.at("agentId"), "agent-7");
  EXPECT_EQ(item.at("monitorStatus"), "DOWN");
}

TEST(GroundWorkItem, WithoutATimeHasThatOfItsReceipt) {
  CheckResult r = backup();
  r.time = Wall{};
  r.received = Wall(std::chrono::seconds(1'700'000'000));
  EXPECT_EQ(encoded(r).at("lastCheckTime"), "2023-11-14T22:13:20.000+0000");
}

TEST(GroundWorkItem, StatesHaveTheirNames) {
  std::string service;
  std::string host;
  for (State s = 0; s < 5; ++s) {
    service.append(status_name(s, false)).append(" ");
    host.append(status_name(s, true)).append(" ");
  }
  EXPECT_EQ(service, "OK WARNING CRITICAL UNKNOWN UNKNOWN ");
  EXPECT_EQ(host, "UP DOWN UNREACHABLE UNREACHABLE UNREACHABLE ");
}

TEST(GroundWorkItem, TextsAreFitForBothFormats) {
  CheckResult r = backup();
  r.output = std::string(
      " a\r\nb\x01\x7f"
      "c\xff\xef\xbf\xbf \0z",
      15);
  r.perfdata = "x=1\ny=2";
  auto properties = encoded(r).at("properties");
  EXPECT_EQ(properties.at("LastPluginOutput"), "a\nb  c\uFFFD\uFFFD  z");
  EXPECT_EQ(properties.at("PerformanceData"), "x=1 y=2");
}

TEST(GroundWorkItem, NoControlCharacterPassesInAnyPlace) {
  for (int c = 0; c < 256; ++c) {
    for (std::size_t place = 1; place < 17; ++place) {
      std::string text(18, 'a');
      text[place] = static_cast<char>(c);
      const bool plain = (c >= ' ' && c < 0x7f) || c == '\n' || c == '\t';
      const std::string cleaned = clean_text(text, 100);
      EXPECT_EQ(cleaned == text, plain) << c << " at " << place;
      EXPECT_TRUE(is_valid_utf8(cleaned));
    }
  }
}

TEST(GroundWorkItem, AnEmptyOutputIsSaidToBeNone) {
  CheckResult r = backup();
  r.output = " \n";
  r.perfdata = "";
  EXPECT_EQ(encoded(r).at("properties").dump(), R"*({"LastPluginOutput":"(no output)"})*");
}

TEST(GroundWorkItem, APipeInTheOutputDoesNotBeginPerformanceData) {
  CheckResult r = backup();
  r.output = "a|b";
  r.perfdata = "";
  EXPECT_EQ(encoded(r).at("properties").at("PerformanceData"), "");
}

TEST(GroundWorkItem, LongTextsAreCutAsTheServerCounts) {
  CheckResult r = backup();
  for (int i = 0; i < 20000; ++i) r.output += "\U0001F600";
  r.perfdata.clear();
  for (int i = 0; i < 4000; ++i) r.perfdata += "'a b" + std::to_string(i) + "'=1 ";
  auto properties = encoded(r).at("properties");
  const std::string output = properties.at("LastPluginOutput");
  EXPECT_TRUE(is_valid_utf8(output));
  EXPECT_LE(output.size(), kServiceTextLimit * 2);
  EXPECT_GT(output.size(), kServiceTextLimit * 2 - 16);
  const std::string perfdata = properties.at("PerformanceData");
  EXPECT_LE(perfdata.size(), kServiceTextLimit);
  EXPECT_TRUE(perfdata.ends_with("'=1"));
  r.subject.service.clear();
  EXPECT_GT(encoded(r).at("properties").at("LastPluginOutput").get<std::string>().size(),
            kServiceTextLimit * 2);
}

TEST(GroundWorkItem, XmlEscapesWhatAttributesLose) {
  CheckResult r = backup();
  r.subject = {"a&b<c>\"d'", "x\ty"};
  r.subject.service = "s";
  r.output = "one\ntwo\t<&>";
  EXPECT_EQ(xml(r),
            "<service hostName=\"a&amp;b&lt;c&gt;&quot;d'\" description=\"s\" "
            "monitorStatus=\"WARNING\" appType=\"NAGIOS\" "
            "deviceIdentification=\"a&amp;b&lt;c&gt;&quot;d'\" monitorServer=\"localhost\" "
            "lastCheckTime=\"2026-01-05T10:15:00.250+0000\"><properties>"
            "<property name=\"LastPluginOutput\" value=\"one&#10;two&#9;&lt;&amp;&gt;\"/>"
            "<property name=\"PerformanceData\" value=\"dur=5460s\"/></properties></service>");
}

TEST(GroundWorkBatch, HasItsFrameInEachFormat) {
  const std::vector<std::string_view> items{"1", "2"};
  EXPECT_EQ(encode_batch(items, true, Format::json), R"({"hosts":[1,2]})");
  EXPECT_EQ(encode_batch(items, false, Format::json), R"({"services":[1,2]})");
  EXPECT_EQ(encode_batch(items, false, Format::json_array), "[1,2]");
  EXPECT_EQ(encode_batch(items, true, Format::xml),
            R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?><hosts>12</hosts>)");
  for (Format f : {Format::json, Format::json_array, Format::xml})
    EXPECT_LE(encode_batch({}, false, f).size(), kBatchFrame);
}

TEST(GroundWorkName, ThatNoItemCanCarryIsToldWithItsReason) {
  EXPECT_FALSE(unaddressable({"db1", "Backup"}));
  EXPECT_FALSE(unaddressable({"db1", ""}));
  EXPECT_FALSE(unaddressable({"100% |;$:\" ", "blank at the end "}));
  EXPECT_NE(unaddressable({"", "x"})->find("empty"), std::string::npos);
  EXPECT_NE(unaddressable({"a\tb", ""})->find("control"), std::string::npos);
  EXPECT_NE(unaddressable({"a", "\xff"})->find("UTF-8"), std::string::npos);
  EXPECT_NE(unaddressable({std::string(255, 'a'), ""})->find("254"), std::string::npos);
}

TEST(GroundWorkDate, IsReadInEveryFormThatClientsWrite) {
  const Wall expected(std::chrono::milliseconds(1'767'608'100'250));
  for (const char* text : {"2026-01-05T10:15:00.250+0000", "2026-01-05T03:15:00.250-0700",
                           "2026-01-05T03:15:00.250-07:00", "2026-01-05T10:15:00.250Z",
                           "1767608100250", " 1767608100250 "}) {
    auto parsed = parse_date(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
  for (const char* none : {"", " ", "0"}) EXPECT_EQ(parse_date(none).value(), Wall{}) << none;
  for (const char* bad : {"yesterday", "2026-01-05", "2026-01-05T10:15:00", "-1",
                          "99999999999999999", "2026-13-05T10:15:00+0000", "+0000", "1e9"})
    EXPECT_FALSE(parse_date(bad)) << bad;
}

}  // namespace
}  // namespace checkrelay::groundwork
