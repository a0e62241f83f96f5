#include "agent/policy/freshness_text.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

Wall at(std::string_view text) { return parse_rfc3339(text).value(); }
const Zone stockholm = Zone::find("Europe/Stockholm").value();

TEST(FreshnessText, DurationsAreRough) {
  EXPECT_EQ(rough(119s), "119 s");
  EXPECT_EQ(rough(120s), "2 min");
  EXPECT_EQ(rough(2h - 1s), "119 min");
  EXPECT_EQ(rough(47h), "47 h");
  EXPECT_EQ(rough(49h), "2 d");
}

TEST(FreshnessText, DueTimesNameTheirZone) {
  const Wall now = at("2026-03-30T20:00:00Z");
  EXPECT_EQ(due_words(at("2026-03-31T01:00:00Z"), stockholm, now),
            "Tue 03:00 Europe/Stockholm, in 5 h");
  EXPECT_EQ(due_words(at("2026-03-30T19:59:30Z"), stockholm, now),
            "Mon 21:59:30 Europe/Stockholm, 30 s ago");
  EXPECT_EQ(due_words(at("2026-12-01T02:00:00Z"), stockholm, now),
            "2026-12-01 03:00 Europe/Stockholm, in 245 d");
  EXPECT_EQ(due_words(Wall{}, stockholm, now), "never");
}

TEST(FreshnessText, OutputsAreFilledIn) {
  Promise p;
  p.schedule = Schedule::parse("0 3 * * *").value();
  p.zone = stockholm;
  FreshnessNews news;
  news.last = at("2026-03-29T01:05:00Z");
  news.due = at("2026-03-30T01:00:00Z");
  const Wall now = at("2026-03-30T03:00:01Z");
  EXPECT_EQ(fill_output("none since {last}, due {due} ({schedule}), {age} {x}", news, p, now),
            "none since Sun 03:05 Europe/Stockholm, due Mon 03:00 Europe/Stockholm (0 3 * * *), "
            "25 h {x}");
  news.while_down = true;
  news.last = Wall{};
  EXPECT_EQ(fill_output("{last} {age}", news, p, now),
            "never never (the agent was not running when it was due)");
}

TEST(FreshnessText, UnknownNamesAreFaults) {
  EXPECT_TRUE(check_output("no result since {last} {due} {age} {schedule} { ok"));
  auto checked = check_output("since {lsat}");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().what, "\"{lsat}\" is not {last}, {due}, {age} or {schedule}");
}

}  // namespace
}  // namespace checkrelay
