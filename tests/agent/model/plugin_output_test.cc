#include <gtest/gtest.h>

#include <string>

#include "agent/model/check_result.h"

namespace checkrelay {
namespace {

struct Parts {
  std::string output{};
  std::string perfdata{};
};

Parts parts_of(std::string_view text) {
  Parts p{"stale", "stale"};
  split_plugin_output(text, p.output, p.perfdata);
  return p;
}

void expect_parts(std::string_view text, std::string_view output, std::string_view perfdata) {
  Parts p = parts_of(text);
  EXPECT_EQ(p.output, output) << text;
  EXPECT_EQ(p.perfdata, perfdata) << text;
}

// Nagios plugin development guidelines, "Plugin Output for Nagios", and the example of the plugin
// API page (one line; one line with data; several lines with data in two places).
TEST(PluginOutput, OneLineWithoutData) {
  expect_parts("DISK OK - free space: / 3326 MB (56%);", "DISK OK - free space: / 3326 MB (56%);",
               "");
}

TEST(PluginOutput, DataStandsBehindTheBar) {
  expect_parts("DISK OK | /=2643MB;5948;5958;0;5968", "DISK OK", "/=2643MB;5948;5958;0;5968");
}

TEST(PluginOutput, LaterDataFollowsALaterBarToTheEnd) {
  expect_parts(
      "DISK OK | /=2643MB;5948\n/ 15272 MB (77%);\n/boot 68 MB (69%); | /boot=68MB;88;93\n"
      "/home=69357MB;253404\n/var/log=818MB",
      "DISK OK \n/ 15272 MB (77%);\n/boot 68 MB (69%);",
      "/=2643MB;5948 /boot=68MB;88;93 /home=69357MB;253404 /var/log=818MB");
}

TEST(PluginOutput, ABarInTheDataOfTheFirstLineStays) {
  expect_parts("OK|a=1|b=2", "OK", "a=1|b=2");
}

TEST(PluginOutput, BlankLinesOfLongOutputStay) {
  expect_parts("OK\n\nfirst\n\n\nsecond", "OK\n\nfirst\n\n\nsecond", "");
}

TEST(PluginOutput, BlankLinesAtTheEndGo) { expect_parts("OK - fine \n\n \r\n", "OK - fine", ""); }

TEST(PluginOutput, BlankLinesAmongTheDataGo) {
  expect_parts("OK\nmore|a=1\n\nb=2\n", "OK\nmore", "a=1 b=2");
}

TEST(PluginOutput, NothingIsNothing) {
  expect_parts("", "", "");
  expect_parts("|", "", "");
  expect_parts("|a=1", "", "a=1");
  expect_parts("OK|", "OK", "");
  expect_parts("\n\n", "", "");
}

TEST(PluginOutput, AMillionBarsAndLinesTakeBoundedTime) {
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += "|\n";
  EXPECT_EQ(parts_of(text).output, "");
}

}  // namespace
}  // namespace checkrelay
