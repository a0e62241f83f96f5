#include "agent/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace checkrelay {
namespace {

std::string as_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, EveryByteOfAsciiReadsBack) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  EXPECT_EQ(nlohmann::json::parse(as_string(all)).get<std::string>(), all);
}

TEST(JsonString, ControlCharactersAreEscaped) {
  EXPECT_EQ(as_string("a\"b\\c\n\t\x01"), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(as_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonString, AnEscapeIsFoundAtEveryPlace) {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, '\x80');
      text[at] = '\t';
      const std::string before(at, '\x80');
      const std::string after(size - at - 1, '\x80');
      EXPECT_EQ(as_string(text), '"' + before + "\\t" + after + '"') << size << ' ' << at;
    }
  }
}
TEST(JsonString, Utf8IsLeftAlone) { EXPECT_EQ(as_string("grün ✓"), "\"grün ✓\""); }

TEST(JsonWriter, AKeyIsEscapedAsATextIs) {
  std::string out;
  JsonWriter(out).begin_object().key(std::string("a\"\n")).null().end_object();
  EXPECT_EQ(out, R"({"a\"\n":null})");
}
TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("a").integer(-1).key("b").begin_array();
  json.text("x").boolean(true).null().begin_object().end_object().begin_array().end_array();
  json.end_array().key("c").begin_object().key("d").raw("[1]").end_object().end_object();
  EXPECT_EQ(out, R"({"a":-1,"b":["x",true,null,{},[]],"c":{"d":[1]}})");
}

TEST(JsonWriter, NumbersReadBackTheSame) {
  for (double value : {0.0, -0.5, 0.1, 1e300, 5e-324, 12345678901234567.0, 1.0 / 3}) {
    std::string out;
    JsonWriter(out).number(value);
    EXPECT_EQ(nlohmann::json::parse(out).get<double>(), value) << out;
  }
}

TEST(JsonWriter, IntegersKeepAllTheirDigits) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().integer(INT64_MAX).integer(INT64_MIN).end_array();
  EXPECT_EQ(out, "[9223372036854775807,-9223372036854775808]");
}

TEST(JsonWriter, WhatIsNotFiniteIsNull) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().number(HUGE_VAL).number(-HUGE_VAL).number(std::nan("")).end_array();
  EXPECT_EQ(out, "[null,null,null]");
}

}  // namespace
}  // namespace checkrelay
