#include "agent/base/metrics.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

TEST(Metrics, CountersAndGaugesAreWrittenWithTheirLabels) {
  std::string text = metrics_text({{"x_total", "How many", true, {{{{"name", "a"}}, 3}}},
                                   {"y", "How much", false, {{{}, 0.5}}}});
  EXPECT_NE(text.find("# HELP x_total How many\n# TYPE x_total counter\nx_total{name=\"a\"} 3"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE y gauge\ny 0.5"), std::string::npos) << text;
}

// The text format escapes backslash, quote and line feed in label values.
TEST(Metrics, LabelsCannotBreakOutOfTheirQuotes) {
  std::string text = metrics_text({{"x", "h", false, {{{{"name", "a\"b\\c\nd"}}, 1}}}});
  EXPECT_NE(text.find(R"(x{name="a\"b\\c\nd"} 1)"), std::string::npos) << text;
}

TEST(Metrics, NothingIsNothing) { EXPECT_EQ(metrics_text({}), ""); }

}  // namespace
}  // namespace checkrelay
