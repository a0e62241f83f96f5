#include "plugins/dialects/native/json_line.h"

#include <gtest/gtest.h>

namespace checkrelay::native {
namespace {

Result<CheckResult> decoded(std::string_view text) {
  std::size_t mended = 0;
  return decode_json(text, mended);
}

std::string fault(std::string_view text) {
  auto result = decoded(text);
  return result ? "" : result.error().what;
}

TEST(JsonLine, EmptyViewIsRefused) {
  EXPECT_NE(fault(std::string_view{}), "");
  EXPECT_NE(fault(""), "");
}

TEST(JsonLine, ReadsEveryKey) {
  auto r = decoded(R"({"host":"h","service":"s","state":"warning","output":"o|x","perfdata":"p=1",
      "time":"2026-01-05T10:15:00.250+01:00","id":"i","ttl":90,"check_source":"c"})");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->subject, (Subject{"h", "s"}));
  EXPECT_EQ(r->state, 1);
  EXPECT_EQ(r->output, "o|x");
  EXPECT_EQ(r->perfdata, "p=1");
  EXPECT_EQ(format_rfc3339(r->time), "2026-01-05T09:15:00.250Z");
  EXPECT_EQ(r->id, "i");
  EXPECT_EQ(r->ttl, std::chrono::seconds(90));
  EXPECT_EQ(r->check_source, "c");
}

TEST(JsonLine, SplitsPerfdataOffOutputWhereNoneIsGiven) {
  auto r = decoded(R"({"host":"h","state":0,"output":"fine | load=1"})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->output, "fine");
  EXPECT_EQ(r->perfdata, "load=1");
}

TEST(JsonLine, EmptyPerfdataKeepsTheOutputWhole) {
  auto r = decoded(R"({"host":"h","state":0,"output":"a|b","perfdata":""})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->output, "a|b");
  EXPECT_EQ(r->perfdata, "");
}

TEST(JsonLine, NoServiceMeansAHostCheck) {
  EXPECT_EQ(fault(R"({"host":"h","state":3})"), "state: \"3\" is not 0-2");
  EXPECT_EQ(fault(R"({"host":"h","service":"","state":2})"), "");
  EXPECT_EQ(fault(R"({"state":3,"service":"s","host":"h"})"), "");
}

TEST(JsonLine, TakesTimeAsNumberTextAndRfc3339) {
  for (const char* time : {"1700000000.5", "\"1700000000.5\"", "\"2023-11-14T22:13:20.5Z\""}) {
    auto r = decoded(std::string(R"({"host":"h","state":0,"time":)") + time + "}");
    ASSERT_TRUE(r) << time;
    EXPECT_EQ(epoch_seconds(r->time), 1700000000.5) << time;
  }
}

TEST(JsonLine, TakesTtlAsSecondsAndDuration) {
  for (const char* ttl : {"5400", "\"5400\"", "\"1h30m\"", "5400.0"}) {
    auto r = decoded(std::string(R"({"host":"h","state":0,"ttl":)") + ttl + "}");
    ASSERT_TRUE(r) << ttl;
    EXPECT_EQ(r->ttl, std::chrono::minutes(90)) << ttl;
  }
}

TEST(JsonLine, NamesKeyAndFragmentOfWhatItRefuses) {
  EXPECT_EQ(fault(R"({"host":"h","service":"s","state":"9"})"), "state: \"9\" is not 0-3");
  EXPECT_EQ(fault(R"({"host":"h","service":"s","state":9})"), "state: \"9\" is not 0-3");
  EXPECT_EQ(fault(R"({"host":5,"state":0})"), "host: 5 is not a string");
  EXPECT_EQ(fault(R"({"host":null,"state":0})"), "host: null is not a string");
  EXPECT_EQ(fault(R"({"host":"h","state":true})"), "state: true is not an integer or a name");
  EXPECT_EQ(fault(R"({"host":"h","state":0,"time":"soon"})"),
            "time: \"soon\" is not epoch seconds or RFC 3339");
  EXPECT_EQ(fault(R"({"host":"h","state":0,"ttl":-1})"), "ttl: -1 is not 0 s to 100 years");
  EXPECT_EQ(fault(R"({"host":"","state":0})"), "host: 0 bytes, not 1-255: \"\"");
  EXPECT_EQ(fault(R"({"host":"h"})"), "state: missing");
}

TEST(JsonLine, RefusesUnknownKeysByName) {
  EXPECT_EQ(fault(R"({"host":"h","state":0,"sevrice":"s"})"),
            "\"sevrice\" is not a key of a check result (did you mean service?)");
}

TEST(JsonLine, AStartNamesItsRunAndNothingElse) {
  auto r = decoded(R"({"start":true,"host":"h","service":"s","id":"run-1","time":1700000000})");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_TRUE(r->start);
  EXPECT_EQ(r->subject, (Subject{"h", "s"}));
  EXPECT_EQ(r->id, "run-1");
  EXPECT_EQ(epoch_seconds(r->time), 1700000000);
  EXPECT_TRUE(decoded(R"({"id":"run-1","start":true})")) << "the host is the agent's to fill in";
}

TEST(JsonLine, AStartThatReportsIsRefusedByName) {
  for (const char* key : {"state", "output", "perfdata", "ttl"}) {
    const char* value = std::string_view(key) == "state" || *key == 't' ? "0" : "\"\"";
    EXPECT_EQ(
        fault(std::string(R"({"host":"h","id":"i","start":true,")") + key + "\":" + value + "}"),
        std::string(key) + ": a start has none");
  }
  EXPECT_EQ(fault(R"({"host":"h","service":"s","start":true})"),
            "id: missing: a start needs the id of its run");
  EXPECT_EQ(fault(R"({"host":"h","id":"i","start":1})"), "start: 1 is not true or false");
}

TEST(JsonLine, NoStartIsAsIfItWereLeftOut) {
  auto r = decoded(R"({"host":"h","state":1,"output":"o","start":false})");
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(*r, *decoded(R"({"host":"h","state":1,"output":"o"})"));
  EXPECT_EQ(fault(R"({"host":"h","id":"i","start":false})"), "state: missing");
}

TEST(JsonLine, RefusesAKeyGivenTwice) {
  EXPECT_EQ(fault(R"({"host":"h","state":0,"host":"g"})"), "host: given twice");
}

TEST(JsonLine, RefusesWhatIsNoObject) {
  for (const char* text : {"", "{", "[]", "5", "nul", "{\"host\":\"h\"} x", "{\"a\":NaN}",
                           "{'a':1}", "{\"host\":\"h\",}", "\xEF\xBB\xBF{}"})
    EXPECT_NE(fault(text), "") << text;
}

TEST(JsonLine, DeepNestingIsRefusedInBoundedTime) {
  EXPECT_NE(fault("{\"host\":" + std::string(2'000'000, '[')), "");
  EXPECT_NE(fault("{\"host\":" + std::string(500, '[') + std::string(500, ']') + "}"), "");
}

TEST(JsonLine, InvalidUtf8InOutputIsReplacedAndCounted) {
  std::size_t mended = 0;
  auto r = decode_json("{\"host\":\"h\",\"state\":0,\"output\":\"caf\xE9 \xFF\"}", mended);
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->output, "caf\xEF\xBF\xBD \xEF\xBF\xBD");
  EXPECT_EQ(mended, 2U);
}

TEST(JsonLine, InvalidUtf8InANameIsRefused) {
  EXPECT_NE(fault("{\"host\":\"caf\xE9\",\"state\":0}").find("host: not UTF-8"), std::string::npos);
  EXPECT_NE(fault("{\"host\":\"h\",\"h\xE9\":1,\"state\":0}"), "");
}

std::vector<std::string> elements(std::string_view text, bool* whole = nullptr) {
  std::vector<std::string> all;
  auto split = split_json_list(text, [&all](std::string_view element, std::size_t number) {
    all.emplace_back(element);
    EXPECT_EQ(number, all.size());
    return true;
  });
  if (whole != nullptr) *whole = split.has_value();
  return all;
}

TEST(JsonList, CutsElementsOutByTheirBrackets) {
  bool whole = false;
  EXPECT_EQ(elements(" [ {\"a\":\"]},[\\\"\"} , 5,[1,{}]\n, \"x,y\" ] ", &whole),
            (std::vector<std::string>{"{\"a\":\"]},[\\\"\"}", "5", "[1,{}]", "\"x,y\""}));
  EXPECT_TRUE(whole);
  EXPECT_TRUE(elements("[]", &whole).empty());
  EXPECT_TRUE(whole);
}

TEST(JsonList, ABrokenListStillYieldsWhatCameBefore) {
  for (const char* text : {"[{\"a\":1}", "[{\"a\":1},", "[{\"a\":1} {}]", "[{\"a\":1}] x",
                           "[{\"a\":1}}", "[{\"a\":1},{\"b"}) {
    bool whole = true;
    auto found = elements(text, &whole);
    EXPECT_FALSE(whole) << text;
    ASSERT_FALSE(found.empty()) << text;
    EXPECT_EQ(found[0], "{\"a\":1}");
  }
}

TEST(JsonList, TellsOneValueFromLines) {
  EXPECT_TRUE(is_one_json_value("{\n\"a\":\n1}\n"));
  EXPECT_FALSE(is_one_json_value("{\"a\":1}\n{\"b\":1}"));
  EXPECT_FALSE(is_one_json_value("{\"a\":1"));
  EXPECT_FALSE(is_one_json_value("x"));
}

}  // namespace
}  // namespace checkrelay::native
