#include "agent/base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "agent/base/secret.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

// A secret can become no field; this is checked where it matters, at compile time.
static_assert(!std::is_constructible_v<Field, std::string_view, Secret>);

template <typename Write>
std::string text_of(Write write) {
  testing::internal::CaptureStderr();
  start_log(Level::info, false);
  write();
  stop_log();
  return testing::internal::GetCapturedStderr();
}

template <typename Write>
std::string json_of(Write write) {
  testing::internal::CaptureStderr();
  start_log(Level::info, true);
  write();
  stop_log();
  return testing::internal::GetCapturedStderr();
}

// Behind "time=… ".
std::string without_time(const std::string& line) { return line.substr(line.find(' ') + 1); }

TEST(Log, TextIsKeyAndValue) {
  std::string line = text_of([] {
    log(Level::warn, "refused", {{"line", 3}, {"ok", false}, {"rate", 0.5}, {"s", "x"}});
  });
  EXPECT_EQ(without_time(line), "level=warn event=refused line=3 ok=false rate=0.5 s=x\n");
  EXPECT_TRUE(parse_rfc3339(line.substr(5, line.find(' ') - 5))) << line;
}

TEST(Log, ValuesAreQuotedWhereNeeded) {
  std::string line = text_of([] {
    log(Level::info, "two words",
        {{"a", ""}, {"b", "x y"}, {"c", "x=y"}, {"d", "x\"y"}, {"e", "x\ny"}, {"f", "grün"}});
  });
  EXPECT_EQ(without_time(line),
            "level=info event=\"two words\" a=\"\" b=\"x y\" c=\"x=y\" d=\"x\\\"y\" "
            "e=\"x\\x0ay\" f=grün\n");
}

TEST(Log, TerminalControlCharactersNeverReachTheLine) {
  for (char c : {'\0', '\x07', '\x1b', '\x7f', '\v', '\f'}) {
    std::string value = std::string("a") + c + "b";
    std::string line = text_of([&] { log(Level::info, "x", {{"value", value}}); });
    EXPECT_EQ(line.find(c), std::string::npos) << static_cast<int>(c);
  }
}

TEST(Log, InvalidUtf8IsEscapedInText) {
  std::string line = text_of([] { log(Level::info, "x", {{"value", "a\xFF"}}); });
  EXPECT_EQ(without_time(line), "level=info event=x value=\"a\\xff\"\n");
}

TEST(Log, ValuesAreCutAtOneKibibyte) {
  const std::string value(100'000, 'v');
  EXPECT_LT(text_of([&] { log(Level::info, "x", {{"v", value}}); }).size(), 1200U);
  EXPECT_LT(json_of([&] { log(Level::info, "x", {{"v", value}}); }).size(), 1200U);
}

TEST(Log, JsonIsOneObjectALine) {
  std::string lines = json_of([] {
    log(Level::error, "it \"broke\"", {{"line", 3}, {"bytes", "a\xFF\n\x1b"}});
    log(Level::info, "again");
  });
  std::vector<std::string_view> parts = split(lines, '\n');
  ASSERT_EQ(parts.size(), 3U) << lines;
  auto first = nlohmann::json::parse(parts[0]);
  EXPECT_EQ(first["level"], "error");
  EXPECT_EQ(first["event"], "it \"broke\"");
  EXPECT_EQ(first["line"], "3");
  EXPECT_EQ(first["bytes"], "a\xEF\xBF\xBD\n\x1b");
  EXPECT_TRUE(parse_rfc3339(first["time"].get<std::string>()));
  EXPECT_EQ(nlohmann::json::parse(parts[1])["event"], "again");
}

TEST(Log, LevelsBelowTheChosenOneAreSilent) {
  std::string lines = text_of([] {
    log(Level::debug, "hidden");
    set_log_level(Level::error);
    log(Level::warn, "hidden");
    EXPECT_FALSE(log_enabled(Level::warn));
    EXPECT_TRUE(log_enabled(Level::error));
    log(Level::error, "shown");
  });
  EXPECT_EQ(lines.find("hidden"), std::string::npos) << lines;
  EXPECT_NE(lines.find("shown"), std::string::npos) << lines;
}

TEST(Log, WritesTextBeforeItIsStarted) {
  testing::internal::CaptureStderr();
  set_log_level(Level::info);
  log(Level::info, "early");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("level=info event=early\n"),
            std::string::npos);
}

TEST(Log, EveryThreadMayWriteBeforeItIsStarted) {
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([] { log(Level::error, "thread"); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(split(testing::internal::GetCapturedStderr(), '\n').size(), 5U);
}

TEST(ParseLevel, KnowsTheFiveNames) {
  EXPECT_EQ(parse_level("trace").value(), Level::trace);
  EXPECT_EQ(parse_level("error").value(), Level::error);
  EXPECT_EQ(parse_level("loud").error().what,
            "\"loud\" is none of trace, debug, info, warn, error");
  EXPECT_FALSE(parse_level("INFO"));
}

TEST(LogGate, LetsOneLineThroughInItsTime) {
  LogGate gate(10s);
  std::uint64_t suppressed = 99;
  Instant t{Steady(5s), Wall(1s)};
  EXPECT_TRUE(gate.open(t, suppressed));
  EXPECT_EQ(suppressed, 0U);
  t.steady += 9s;
  EXPECT_FALSE(gate.open(t, suppressed));
  EXPECT_FALSE(gate.open(t, suppressed));
  t.steady += 1s;
  EXPECT_TRUE(gate.open(t, suppressed));
  EXPECT_EQ(suppressed, 2U);
}

TEST(LogGate, TheWallClockDoesNotOpenIt) {
  LogGate gate(10s);
  std::uint64_t suppressed = 0;
  EXPECT_TRUE(gate.open({Steady(1s), Wall(1s)}, suppressed));
  EXPECT_FALSE(gate.open({Steady(2s), Wall(100h)}, suppressed));
}

}  // namespace
}  // namespace checkrelay
