#include "agent/model/perfdata.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace checkrelay {
namespace {

Metric only(std::string_view text) {
  auto metrics = parse_perfdata(text);
  EXPECT_EQ(metrics.size(), 1U) << text;
  return metrics.empty() ? Metric{} : metrics.front();
}

TEST(Perfdata, ReadsAllFields) {
  EXPECT_EQ(only("'used space'=12.5%;80;90;0;100"),
            (Metric{"used space", 12.5, "%", "80", "90", "0", "100"}));
}

TEST(Perfdata, TrailingSemicolonsMayBeLeftOut) {
  EXPECT_EQ(only("a=1"), (Metric{"a", 1.0, "", "", "", "", ""}));
  EXPECT_EQ(only("a=1;;;0"), (Metric{"a", 1.0, "", "", "", "0", ""}));
  EXPECT_EQ(only("a=1;;;;"), (Metric{"a", 1.0, "", "", "", "", ""}));
}

TEST(Perfdata, RangesStayAsWritten) {
  Metric m = only("a=1;@10:20;~:30");
  EXPECT_EQ(m.warn, "@10:20");
  EXPECT_EQ(m.crit, "~:30");
}

TEST(Perfdata, SeveralStandSideBySide) {
  auto metrics = parse_perfdata("  a=1s\tb=2ms \n c=3c ");
  ASSERT_EQ(metrics.size(), 3U);
  EXPECT_EQ(metrics[1].label, "b");
  EXPECT_EQ(metrics[2].unit, "c");
}

TEST(Perfdata, TwoQuotesInALabelAreOne) { EXPECT_EQ(only("'it''s'=5").label, "it's"); }

TEST(Perfdata, ALabelMayHoldAnEqualsSignInQuotes) {
  EXPECT_EQ(only("'a=b c'=5").label, "a=b c");
  EXPECT_EQ(only("'a=b c'=5").value, 5.0);
}

TEST(Perfdata, AnApostropheWithinABareLabelSwallowsNothing) {
  auto metrics = parse_perfdata("it's=5 x=3");
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[0].label, "it's");
  EXPECT_EQ(metrics[1].label, "x");
}

TEST(Perfdata, UMeansThatThereIsNoValue) {
  EXPECT_EQ(only("a=U").value, std::nullopt);
  EXPECT_EQ(only("a=U;1;2").warn, "1");
}

TEST(Perfdata, NumbersOfRealPluginsAreRead) {
  EXPECT_EQ(only("a=1,5s").value, 1.5);
  EXPECT_EQ(only("a=1,5s").unit, "s");
  EXPECT_EQ(only("a=-2.5e-3").value, -0.0025);
  EXPECT_EQ(only("a=+3").value, 3.0);
  EXPECT_EQ(only("a=1E3B").value, 1000.0);
  EXPECT_EQ(only("a=5GiB/s").unit, "GiB/s");
  EXPECT_EQ(only("a=5e").unit, "e");
}

TEST(Perfdata, WhatCannotBeReadIsHandedBack) {
  std::vector<std::string> unread;
  auto metrics = parse_perfdata("a=1 junk =5 b= c=x d=1-2 ''=3 e=2", &unread);
  EXPECT_EQ(metrics.size(), 2U);
  EXPECT_EQ(unread, (std::vector<std::string>{"junk", "=5", "b=", "c=x", "d=1-2", "''=3"}));
}

TEST(Perfdata, AnOpenQuoteEndsWithTheText) {
  std::vector<std::string> unread;
  EXPECT_EQ(parse_perfdata("'abc", &unread).size(), 0U);
  EXPECT_EQ(unread, (std::vector<std::string>{"'abc"}));
}

TEST(Perfdata, ReadsAnythingWithoutHarm) {
  constexpr unsigned kSeed = 5;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::string alphabet = "a1='; .,-+eU\n\xFF";
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    std::vector<std::string> unread;
    for (const Metric& m : parse_perfdata(text, &unread)) ASSERT_FALSE(m.label.empty()) << text;
  }
}

}  // namespace
}  // namespace checkrelay
