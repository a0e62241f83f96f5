#include "agent/policy/outage.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr Wall kNow{std::chrono::seconds(1'772'402'400)};  // 2026-03-01T22:00:00Z

PlannedOutage outage(std::vector<std::string> nodes, std::vector<OutageElement> elements = {}) {
  PlannedOutage o;
  o.id = "1";
  o.description = "switch swap";
  o.start = "1772402400";
  o.end = "1772416800";
  o.nodes = std::move(nodes);
  o.elements = std::move(elements);
  return o;
}

OutageReading reading(OutageEffect effect = OutageEffect::mark) {
  OutageReading r;
  r.effect = effect;
  return r;
}

bool covers(const PlannedOutage& o, const Subject& s, const OutageReading& r = reading()) {
  return OutageBook({o}, r).find(s, kNow + 1h).has_value();
}

TEST(OutageBook, ANodeIsItsHostAndAllItsServicesByItsExactName) {
  PlannedOutage o = outage({"sw1", "sw2"});
  EXPECT_TRUE(covers(o, {"sw1", ""}));
  EXPECT_TRUE(covers(o, {"sw2", "Vlan2"}));
  EXPECT_FALSE(covers(o, {"SW1", ""}));
  EXPECT_FALSE(covers(o, {"sw", ""}));
}

TEST(OutageBook, AnElementIsItsServiceAlone) {
  PlannedOutage o = outage({}, {{"sw1", "Vlan2"}, {"sw1", "regex:^Gi"}, {"sw2", "iregex:fan"}});
  EXPECT_TRUE(covers(o, {"sw1", "Vlan2"}));
  EXPECT_TRUE(covers(o, {"sw1", "Gi0/1"}));
  EXPECT_FALSE(covers(o, {"sw1", "gi0/1"}));
  EXPECT_TRUE(covers(o, {"sw2", "Big FAN 2"}));
  EXPECT_FALSE(covers(o, {"sw2", "Vlan2"}));
  EXPECT_FALSE(covers(o, {"sw1", ""}));
}

TEST(OutageBook, ElementsOfNodesThatAreNotListedDoNotCount) {
  PlannedOutage o = outage({"sw1", "sw3"}, {{"sw1", "Vlan2"}, {"sw2", "Vlan2"}});
  EXPECT_TRUE(covers(o, {"sw1", "Vlan2"}));
  EXPECT_FALSE(covers(o, {"sw1", "Vlan3"}));
  EXPECT_FALSE(covers(o, {"sw2", "Vlan2"}));
  EXPECT_TRUE(covers(o, {"sw3", "anything"}));
}

TEST(OutageBook, WithoutNodesAndElementsItIsForEverybody) {
  EXPECT_TRUE(covers(outage({}), {"any", "thing"}));
}

TEST(OutageBook, ATemplateTellsAServiceFromItsElement) {
  OutageReading r = reading();
  r.service_template = "Interface {element} status";
  PlannedOutage o = outage({}, {{"sw1", "regex:^Vlan.$"}});
  EXPECT_TRUE(covers(o, {"sw1", "Interface Vlan2 status"}, r));
  EXPECT_FALSE(covers(o, {"sw1", "Vlan2"}, r));
  EXPECT_FALSE(covers(o, {"sw1", "Interface  status"}, r));
  EXPECT_TRUE(is_service_template("x{element}"));
  EXPECT_FALSE(is_service_template("x"));
  EXPECT_FALSE(is_service_template("{element}{element}"));
}

TEST(OutageBook, WhatCannotBeEvaluatedIsLeftOutAndTold) {
  PlannedOutage times = outage({"sw1"}), frequency = outage({"sw1"});
  times.start = "soon";
  frequency.frequency = "yearly";
  PlannedOutage pattern = outage({}, {{"sw1", "regex:(?<=x)y"}, {"sw1", "Vlan2"}});
  std::vector<std::string> complaints;
  OutageBook book({times, frequency, pattern}, reading(), &complaints);
  ASSERT_EQ(complaints.size(), 3U);
  EXPECT_EQ(complaints[0].substr(0, 26), "outage \"1\": start: \"soon\" ");
  EXPECT_TRUE(book.find({"sw1", "Vlan2"}, kNow));
  EXPECT_FALSE(book.find({"sw1", "xy"}, kNow));
  EXPECT_EQ(book.all().size(), 3U);
}

TEST(OutageBook, APatternThatWouldTakeForEverInPerlDoesNot) {
  PlannedOutage o = outage({}, {{"sw1", "regex:^(a+)+$"}});
  EXPECT_FALSE(covers(o, {"sw1", std::string(254, 'a') + "b"}));
  std::vector<std::string> complaints;
  OutageBook book({outage({}, {{"sw1", "regex:" + std::string(1025, 'a')},
                               {"sw1", "regex:((a{1,100}){1,100}){1,100}"}})},
                  reading(), &complaints);
  EXPECT_EQ(complaints.size(), 2U);
}

TEST(OutageBook, OfSeveralTheOneThatEndsLast) {
  PlannedOutage longer = outage({"sw1"});
  longer.id = "2";
  longer.end = "1772420000";
  OutageBook book({outage({"sw1"}), longer, outage({"sw1"})}, reading());
  EXPECT_EQ(book.find({"sw1", ""}, kNow)->outage->id, "2");
}

CheckResult result(Wall time) {
  CheckResult r;
  r.subject = {"sw1", "Vlan2"};
  r.time = time;
  return r;
}

OutageBooks books(OutageEffect effect) {
  OutageBooks b;
  b.set("nmis", std::make_shared<const OutageBook>(std::vector{outage({"sw1"})}, reading(effect)));
  return b;
}

TEST(OutageRuling, IsByTheResultsOwnTime) {
  const OutageBooks b = books(OutageEffect::mark);
  EXPECT_EQ(rule_on(b, result(kNow - 1s), kNow + 1h).effect, OutageEffect::pass);
  EXPECT_EQ(rule_on(b, result(kNow), kNow + 100h).effect, OutageEffect::mark);
  EXPECT_EQ(rule_on(b, result(kNow), kNow).note, "[planned outage: switch swap]");
  EXPECT_EQ(rule_on(books(OutageEffect::pass), result(kNow), kNow).effect, OutageEffect::pass);
}

TEST(OutageRuling, HoldsUntilTheSubjectIsInNoWindow) {
  const OutageBooks b = books(OutageEffect::hold);
  OutageRuling held = rule_on(b, result(kNow), kNow + 1h);
  EXPECT_EQ(held.effect, OutageEffect::hold);
  EXPECT_EQ(held.until, kNow + 4h);
  EXPECT_EQ(held.id, "1");
  EXPECT_EQ(rule_on(b, result(kNow), kNow + 4h + 1s).effect, OutageEffect::pass);
  EXPECT_EQ(rule_on(b, result(kNow - 1s), kNow + 1h).effect, OutageEffect::pass);
}

TEST(OutageRuling, TheStrongestEffectOfAllSourcesCounts) {
  OutageBooks b = books(OutageEffect::mark);
  b.set("local",
        std::make_shared<const OutageBook>(std::vector{outage({})}, reading(OutageEffect::hold)));
  EXPECT_EQ(rule_on(b, result(kNow), kNow).source, "local");
  b.remove("local");
  EXPECT_EQ(rule_on(b, result(kNow), kNow).effect, OutageEffect::mark);
}

TEST(OutageMark, StandsBehindTheFirstLineOnce) {
  std::string output = "CRITICAL - down\nmore";
  mark_output(output, "[planned outage: x]");
  EXPECT_EQ(output, "CRITICAL - down [planned outage: x]\nmore");
  mark_output(output, "[planned outage: y]");
  EXPECT_EQ(output, "CRITICAL - down [planned outage: x]\nmore");
  std::string empty;
  mark_output(empty, "[planned outage]");
  EXPECT_EQ(empty, "[planned outage]");
}

TEST(OutageMark, TellsDescriptionAndChangeOnOneLine) {
  PlannedOutage o = outage({});
  o.change_id = "CHG-7";
  o.description = "a|b\nc";
  EXPECT_EQ(outage_note(o), "[planned outage: a b c (CHG-7)]");
  o.description.clear();
  EXPECT_EQ(outage_note(o), "[planned outage: CHG-7]");
  o.change_id.clear();
  EXPECT_EQ(outage_note(o), "[planned outage]");
}

TEST(OutageBook, AHugeListCostsBoundedMemory) {
  PlannedOutage many = outage({});
  for (int i = 0; i < 1001; ++i)
    many.elements.push_back({"n" + std::to_string(i), "regex:^" + std::to_string(i) + "$"});
  for (int i = 0; i < 1000; ++i) many.elements.push_back({"twin", "regex:^7$"});
  std::vector<std::string> complaints;
  const OutageBook book({many}, reading(), &complaints);
  ASSERT_EQ(complaints.size(), 1U);
  EXPECT_NE(complaints[0].find("more than 1000 patterns"), std::string::npos) << complaints[0];
  EXPECT_TRUE(book.find({"n999", "999"}, kNow + 1h));
  EXPECT_FALSE(book.find({"n1000", "1000"}, kNow + 1h));
  EXPECT_TRUE(book.find({"twin", "7"}, kNow + 1h));
}

TEST(OutageBook, OutagesBeyondTheMostAreLeftOutAndToldOf) {
  std::vector<std::string> complaints;
  const OutageBook book(std::vector<PlannedOutage>(kMostOutages + 1, outage({"sw1"})), reading(),
                        &complaints);
  ASSERT_EQ(complaints.size(), 1U);
  EXPECT_EQ(complaints[0], "only the first 10000 of 10001 outages count");
}

}  // namespace
}  // namespace checkrelay
