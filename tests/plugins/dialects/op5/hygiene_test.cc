#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/base/text.h"
#include "plugins/dialects/op5/wire.h"
#include "plugins/dialects/plugin_text.h"

namespace checkrelay::op5 {
namespace {

CheckResult result(std::string output, std::string perfdata = {}) {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  r.state = 1;
  r.output = std::move(output);
  r.perfdata = std::move(perfdata);
  return r;
}

std::string text(std::string output, std::string perfdata = {}, Hygiene hygiene = {}) {
  return plugin_output(result(std::move(output), std::move(perfdata)), hygiene);
}

TEST(Op5Hygiene, BodyIsThatOfTheSourceDocument) {
  auto body = nlohmann::json::parse(encode_body(result("took 91 min", "dur=5460s"), {}));
  EXPECT_EQ(body, nlohmann::json({{"host_name", "db1"},
                                  {"service_description", "Backup"},
                                  {"status_code", "1"},
                                  {"plugin_output", "took 91 min|dur=5460s"}}));
}

TEST(Op5Hygiene, HostBodyHasNoService) {
  CheckResult r = result("up");
  r.subject.service.clear();
  EXPECT_FALSE(nlohmann::json::parse(encode_body(r, {})).contains("service_description"));
}

TEST(Op5Hygiene, UrlIsTheServersRoot) {
  constexpr std::string_view kService = "/command/PROCESS_SERVICE_CHECK_RESULT?format=json";
  for (auto [root, api] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {"https://m.example.com", "https://m.example.com/api"},
           {"https://m.example.com/", "https://m.example.com/api"},
           {"https://m.example.com/api", "https://m.example.com/api"},
           {"https://m.example.com/api/", "https://m.example.com/api"},
           {"https://m.example.com:8443/op5", "https://m.example.com:8443/op5/api"},
           {"https://m.example.com/op5/api", "https://m.example.com/op5/api"},
           {"https://m.example.com/myapi", "https://m.example.com/myapi/api"}}) {
    EXPECT_EQ(command_url(root, false), api + std::string(kService)) << root;
  }
  EXPECT_EQ(command_url("http://m", true),
            "http://m/api/command/PROCESS_HOST_CHECK_RESULT?format=json");
}

TEST(Op5Hygiene, HostStateThreeIsNeverPassedThrough) {
  EXPECT_EQ(upstream_state(0, true), 0);
  EXPECT_EQ(upstream_state(1, true), 1);
  EXPECT_EQ(upstream_state(2, true), 2);
  EXPECT_EQ(upstream_state(3, true), 1);
  EXPECT_EQ(upstream_state(255, true), 1);
  EXPECT_EQ(upstream_state(3, false), 3);
  EXPECT_EQ(upstream_state(255, false), 3);
}

TEST(Op5Hygiene, NamesThatTheApiCannotAddressAreNamed) {
  for (const Subject& s :
       {Subject{"a;b", "s"}, Subject{"h", "a;b"}, Subject{"h", "a\nb"}, Subject{"h\n", ""},
        Subject{" h", "s"}, Subject{"h", "s "}, Subject{"h", "\ts"}, Subject{"", "s"},
        Subject{"caf\xe9", "s"}, Subject{"h", "a\rb"}, Subject{" ", ""}}) {
    EXPECT_TRUE(unaddressable(s)) << to_string(s);
  }
}

TEST(Op5Hygiene, AwkwardNamesAreAddressed) {
  for (const char* name : {"a b", "100%", "$HOME$", "a|b", "\"q\"", "a/b", "C:", "Gr\u00f6\u00dfe",
                           "'", "\\", "&=?#+", "a\tb", "<x>", "{}"}) {
    EXPECT_EQ(unaddressable({name, name}), std::nullopt) << name;
  }
}

TEST(Op5Hygiene, LinesAreFlattenedByDefault) {
  EXPECT_EQ(text("one\ntwo\r\n\n  three  \n"), "one / two / three");
}

TEST(Op5Hygiene, LinesAreEscapedOnDemand) {
  EXPECT_EQ(text("one\ntwo", "p=1", {Multiline::escaped, 4096}), "one\\ntwo|p=1");
}

TEST(Op5Hygiene, RawLinesKeepPerfdataOnTheFirst) {
  EXPECT_EQ(text("one\ntwo", "p=1", {Multiline::raw, 4096}), "one|p=1\ntwo");
}

TEST(Op5Hygiene, PipesInTextBecomeBrokenBars) {
  EXPECT_EQ(text("a|b|c", "p=1"), "a\u00a6b\u00a6c|p=1");
}

TEST(Op5Hygiene, PerfdataIsVerbatim) {
  EXPECT_EQ(text("ok", "'a b'=1;2;3 c=4|5"), "ok|'a b'=1;2;3 c=4|5");
}

TEST(Op5Hygiene, ControlCharactersBecomeBlanks) {
  EXPECT_EQ(text(std::string("a\0b\x01"
                             "c\x7f"
                             "d\te",
                             10),
                 "p=1\nq=2"),
            "a b c d\te|p=1 q=2");
}

TEST(Op5Hygiene, BadUtf8IsReplaced) { EXPECT_EQ(text("caf\xe9!"), "caf\ufffd!"); }

TEST(Op5Hygiene, EmptyOutputIsNamed) {
  EXPECT_EQ(text(""), "(no output)");
  EXPECT_EQ(text(" \n \r\n", "p=1"), "(no output)|p=1");
}

TEST(Op5Hygiene, LongTextIsCutOnACharacterBoundary) {
  std::string euros;
  for (int i = 0; i < 2000; ++i) euros += "\u20ac";
  std::string cut = text(euros);
  EXPECT_LE(cut.size(), 4096U);
  EXPECT_GT(cut.size(), 4092U);
  EXPECT_TRUE(is_valid_utf8(cut));
}

TEST(Op5Hygiene, PerfdataSurvivesALongText) {
  std::string cut = text(std::string(9000, 'x'), "p=1");
  EXPECT_EQ(cut.size(), 4096U);
  EXPECT_TRUE(cut.ends_with("x|p=1"));
}

TEST(Op5Hygiene, LongPerfdataIsCutBetweenMetrics) {
  std::string cut =
      text("text", "aaaaaaaaaaaaaaaa=11111111 'b b'=22222222 ccccccccccccccccccccccccc=33333333",
           {Multiline::flatten, 64});
  EXPECT_EQ(cut, "text|aaaaaaaaaaaaaaaa=11111111 'b b'=22222222");
}

TEST(Op5Hygiene, MetricThatDoesNotFitLeavesNoPipe) {
  EXPECT_EQ(text("text", std::string(100, 'x') + "=1", {Multiline::flatten, 64}), "text");
}

TEST(Op5Hygiene, EveryLimitIsKept) {
  const std::string words = "w\u00e4re\nzw\u00f6lf | x\n";
  for (std::size_t limit = kLeastTextLimit; limit < 200; ++limit) {
    for (Multiline m : {Multiline::flatten, Multiline::escaped, Multiline::raw}) {
      for (std::size_t n : {0U, 1U, 5U, 10U, 40U}) {
        std::string output, perfdata;
        for (std::size_t i = 0; i < n; ++i) output += words;
        for (std::size_t i = 0; i < 41 - n; ++i)
          perfdata += "'m \u00e4'=" + std::to_string(i) + " ";
        std::string out = text(output, perfdata, {m, limit});
        ASSERT_LE(out.size(), limit);
        ASSERT_FALSE(out.empty());
        ASSERT_TRUE(is_valid_utf8(out)) << out;
      }
    }
  }
}

}  // namespace
}  // namespace checkrelay::op5
