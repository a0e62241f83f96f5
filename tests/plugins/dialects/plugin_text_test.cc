#include "plugins/dialects/plugin_text.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

TEST(PluginText, ControlCharactersAreBlanksAndLineEndsAreOfOneKind) {
  EXPECT_EQ(clean_lines(" a\x01"
                        "b\tc\r\nd\x7f"
                        "e\n"),
            "a b\tc\nd e");
  EXPECT_EQ(clean_line("a\r\nb\rc\n"), "a b c");
  EXPECT_EQ(clean_line("a\xff"), "a\uFFFD");
  EXPECT_EQ(clean_lines(std::string(1, '\0')), "");
}

TEST(PluginText, LinesBecomeOne) {
  EXPECT_EQ(flattened("one \n\n two\n"), "one / two");
  EXPECT_EQ(flattened("\n\nlast"), "last");
  EXPECT_EQ(flattened(""), "");
}

TEST(PluginText, PipesAreBroken) {
  EXPECT_EQ(without_pipes("|a||b"),
            "\u00a6a\u00a6\u00a6"
            "b");
}

TEST(PluginText, NoMetricIsCutInHalf) {
  const std::string_view perfdata = "a=1;2 'b c'=3 d=4";
  EXPECT_EQ(whole_metrics(perfdata, perfdata.size()), perfdata);
  EXPECT_EQ(whole_metrics(perfdata, perfdata.size() - 1), "a=1;2 'b c'=3");
  EXPECT_EQ(whole_metrics(perfdata, 13), "a=1;2 'b c'=3");
  EXPECT_EQ(whole_metrics(perfdata, 12), "a=1;2");
  EXPECT_EQ(whole_metrics(perfdata, 4), "");
  EXPECT_EQ(whole_metrics("", 0), "");
}

TEST(PluginText, StatesAreThoseThatTheServerHas) {
  EXPECT_EQ(upstream_state(2, true), 2);
  EXPECT_EQ(upstream_state(3, true), 1);
  EXPECT_EQ(upstream_state(3, false), 3);
  EXPECT_EQ(upstream_state(9, false), 3);
}

}  // namespace
}  // namespace checkrelay
