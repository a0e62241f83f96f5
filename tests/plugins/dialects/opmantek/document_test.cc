#include <gtest/gtest.h>

#include "plugins/dialects/opmantek/source.h"
#include "plugins/dialects/opmantek/wire.h"

namespace checkrelay::opmantek {
namespace {

TEST(OutageDocument, TheDocumentsOwnListIsUnderstood) {
  auto list = parse_list(
      R"([{"change_id":"ticket #1234","current":"current","description":"Emergency outage",
       "element":[{"element_name":"Vlan2","node_name":"Switch-1"},
                  {"element_name":"regex:^Vlan.*?$","node_name":"Switch-2"}],
       "end":1684156863,"frequency":"once","id":"0ea7644e","nodes":{"name":["Switch-2","Switch-1"]},
       "options":{},"start":1683811263},
      {"change_id":"Outage_123","current":null,"end":"24:00","frequency":"daily","id":"ea7a3a94",
       "nodes":["asgard"],"options":"Normal","start":"22:00"},
      {"id":"only-elements","nodes":{},"element":[{"node_name":"n","element_name":"e"}],
       "start":1.5,"end":"2"}])");
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_TRUE(list->complaints.empty());
  ASSERT_EQ(list->outages.size(), 3U);
  const PlannedOutage& first = list->outages[0];
  EXPECT_EQ(first.start, "1683811263");
  EXPECT_EQ(first.nodes, (std::vector<std::string>{"Switch-2", "Switch-1"}));
  EXPECT_EQ(first.elements[1], (OutageElement{"Switch-2", "regex:^Vlan.*?$"}));
  EXPECT_EQ(list->outages[1].nodes, std::vector<std::string>{"asgard"});
  EXPECT_EQ(list->outages[1].frequency, "daily");
  EXPECT_EQ(list->outages[2].start, "1");
  EXPECT_EQ(list->outages[2].frequency, "once");
}

TEST(OutageDocument, WhatCannotBeEvaluatedIsLeftOutAloneAndTold) {
  auto list = parse_list(R"([{"id":"a","nodes":{"name":["x"],"group":"y"}},{"id":"b","nodes":"/x/"},
    {"nodes":["x"]},7,{"id":"c","nodes":[1]},{"id":"d","nodes":["x"],"element":"e"},{"id":"e"}])");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->complaints.size(), 6U);
  ASSERT_EQ(list->outages.size(), 1U);
  EXPECT_EQ(list->outages[0].id, "e");
}

TEST(OutageDocument, WhatIsNoListIsAnError) {
  for (auto text : {"", "{}", "<html>", "[", "null", "[{\"id\":\"\xff\"}]"})
    EXPECT_FALSE(parse_list(text)) << text;
  EXPECT_FALSE(parse_list(std::string(1000000, '[')));
  EXPECT_FALSE(parse_list(std::string(500000, '[') + std::string(500000, ']')));
}

TEST(OutageDocument, AnUpdateLosesNothingAndSendsWhatIsWritten) {
  Wish wish;
  wish.description = "new";
  auto body = update_body(
      R"({"id":"1","current":"current","change_id":"C","description":"old","nodes":{"name":["a"]},
       "element":[{"node_name":"a","element_name":"e"}],"options":{"nostats":1},"start":10,"end":20,
       "frequency":"once"})",
      wish);
  ASSERT_TRUE(body);
  EXPECT_EQ(
      *body,
      R"({"change_id":"C","description":"new","options":{"nostats":1},"start":10,"end":20,)"
      R"("frequency":"once","nodes":["a"],"elements":[{"node_name":"a","element_name":"e"}]})");
  EXPECT_FALSE(update_body(R"({"id":"1","nodes":{"group":"x"}})", wish));
  wish.nodes = {"b"};
  EXPECT_TRUE(update_body(R"({"id":"1","nodes":{"group":"x"}})", wish));
}

TEST(OutageDocument, ACreationAlwaysNamesItsFrequency) {
  Wish wish;
  wish.nodes = {"sw1"};
  wish.start = "1772402400";
  wish.end = "2026-03-02T02:00:00+00:00";
  EXPECT_EQ(create_body(wish), R"({"nodes":["sw1"],"start":1772402400,)"
                               R"("end":"2026-03-02T02:00:00+00:00","frequency":"once"})");
}

TEST(OutageDocument, TimesAreSentThatEveryZoneReadsAlike) {
  for (const char* good : {"1772402400", "1772402400.5", "2026-03-02T02:00:00Z",
                           "2026-03-02T02:00:00.25+0100", "2026-03-02T02:00:00-01:00"})
    EXPECT_TRUE(is_absolute(good)) << good;
  for (const char* bad : {"", ".", "2026-03-02T02:00:00", "2026-03-02", "11-May-2023 23:21:03",
                          "now + 2 days", "tomorrow", "T+", "22:00", "99999999999999999"})
    EXPECT_FALSE(is_absolute(bad)) << bad;
  Wish wish;
  wish.end = "now + 2 days";
  const std::string once = R"({"id":"1","nodes":{"name":["a"]},"frequency":"once","end":20})";
  ASSERT_FALSE(update_body(once, wish));
  EXPECT_EQ(update_body(once, wish).error().code, Errc::refused);
  EXPECT_TRUE(update_body(R"({"id":"1","nodes":["a"],"frequency":"daily"})", wish));
}

TEST(OutageUrl, ARootGetsThePathAndAPathIsKept) {
  EXPECT_EQ(base_url("https://x"), "https://x/en/omk");
  EXPECT_EQ(base_url("https://x/"), "https://x/en/omk");
  EXPECT_EQ(base_url("https://x/en/omk/"), "https://x/en/omk");
  EXPECT_EQ(base_url("https://x/omk"), "https://x/omk");
}

Result<Command> parsed(std::vector<std::string> words) { return parse_command(words); }

TEST(OutageCommand, WordsAreTakenApart) {
  auto c = parsed({"outages", "create", "--node", "a", "--node=b", "--element", "a:regex:^x:y",
                   "--start", "1", "--end=2", "--description", "--odd"});
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_EQ(c->wish.nodes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(c->wish.elements->at(0), (OutageElement{"a", "regex:^x:y"}));
  EXPECT_EQ(c->wish.description, "--odd");
  EXPECT_EQ(parsed({"outages", "update", "7", "--end", "9"})->id, "7");
  EXPECT_EQ(parsed({"test"})->verb, Command::Verb::test);
}

TEST(OutageCommand, WrongWordsAreNamed) {
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {},
           {"outages"},
           {"outages", "lst"},
           {"outages", "get"},
           {"outages", "get", ""},
           {"outages", "get", "1", "2"},
           {"outages", "list", "1"},
           {"outages", "delete", "--node"},
           {"outages", "create"},
           {"outages", "create", "--node", "a"},
           {"outages", "create", "--node"},
           {"outages", "create", "--node", "a", "--start", "now", "--end", "2"},
           {"outages", "create", "--node", "a", "--start", "1", "--end", "2026-03-02T02:00:00"},
           {"outages", "update", "1", "--color", "red"},
           {"outages", "update", "1", "--element", "x"}})
    EXPECT_FALSE(parsed(words));
}

}  // namespace
}  // namespace checkrelay::opmantek
