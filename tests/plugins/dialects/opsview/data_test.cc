#include "plugins/dialects/opsview/data.h"

#include <gtest/gtest.h>

#include <random>

namespace checkrelay::opsview {
namespace {

// What a text reads as, in strict JSON; the error where it is none.
std::string as_json(const Result<Data>& data) {
  return data ? to_json(*data) : "error: " + data.error().what;
}
std::string json(std::string_view text) { return as_json(parse_json(text)); }
std::string perl(std::string_view text) { return as_json(parse_perl(text)); }
std::string xml(std::string_view text) { return as_json(parse_xml(text)); }
bool is_error(const std::string& text) { return text.starts_with("error: "); }

TEST(OpsviewJson, ScalarsAreTexts) {
  EXPECT_EQ(json(R"({"a":1,"b":"1","c":-2.5e3,"d":true,"e":false,"f":null})"),
            R"({"a":"1","b":"1","c":"-2.5e3","d":"1","e":"0","f":null})");
}

TEST(OpsviewJson, RelaxedFormsAreRead) {
  EXPECT_EQ(json("{\"a\": [1, 2,], # two\n \"b\": {},}"), R"({"a":["1","2"],"b":{}})");
  EXPECT_EQ(json("\"a,]#\\u00e5\\ud83d\\ude00\\n\""), "\"a,]#\u00e5\U0001F600\\n\"");
}

TEST(OpsviewJson, WhatIsNoJsonIsAnErrorWithTheFragment) {
  for (const char* text :
       {"", "{", "[1", "{\"a\"}", "{\"a\":}", "{,}", "[,]", "{\"a\":1 \"b\":2}", "nul", "01x", "+1",
        "\"a", "\"\\q\"", "\"\\u12\"", "{} x", "{a:1}", "'a'", "\"a\nb\"", "[1;2]"}) {
    EXPECT_TRUE(is_error(json(text))) << text << " " << json(text);
  }
  EXPECT_NE(json("{\"a\": 1] oops").find("oops"), std::string::npos);
}

TEST(OpsviewJson, LoneSurrogatesAreReplaced) {
  EXPECT_EQ(json("\"\\ud800x\""), "\"\uFFFDx\"");
  EXPECT_EQ(json("\"\\ud800\\u0041\""), "\"\uFFFDA\"");
}

TEST(OpsviewJson, DepthAndNumberAreBounded) {
  EXPECT_TRUE(is_error(json(std::string(100'000, '['))));
  std::string many = "[";
  for (int i = 0; i < 30'000; ++i) many += "1,";
  EXPECT_TRUE(is_error(json(many + "]")));
  std::string members = "{";
  for (int i = 0; i < 2'000; ++i) members += "\"" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(is_error(json(members + "}")));
  EXPECT_FALSE(is_error(json(std::string(20, '[') + std::string(20, ']'))));
}

TEST(OpsviewJson, TheLastOfARepeatedKeyWins) {
  EXPECT_EQ(json(R"({"a":1,"a":2})"), R"({"a":"2"})");
}

TEST(OpsviewPerl, LiteralsAreRead) {
  EXPECT_EQ(perl("{'token' => 'abc'}"), R"({"token":"abc"})");
  EXPECT_EQ(perl("$VAR1 = {\n  message => \"a\\tb\", n => -4.5, u => undef, l => [1, 2,],\n};\n"),
            R"({"message":"a\tb","n":"-4.5","u":null,"l":["1","2"]})");
  EXPECT_EQ(perl(R"('it\'s \\ \n')"), R"("it's \\ \\n")");
  EXPECT_EQ(perl(R"("\x{263a}\xe5\$x\@y")"), "\"\u263a\u00e5$x@y\"");
}

TEST(OpsviewPerl, NothingIsEvaluated) {
  for (const char* text : {"system('id')",
                           "{a => system('id')}",
                           "{a => `id`}",
                           "do { 1 }",
                           "bless({}, 'X')",
                           "\"$ENV{HOME}\"",
                           "\"@{[1+1]}\"",
                           "{a => 1 + 1}",
                           "qw(a b)",
                           "sub { 1 }",
                           "{a => \\'x'}",
                           "$VAR1",
                           "$VAR2 = {}",
                           "{a, 1}",
                           "{a => 'x' . 'y'}",
                           "[1..3]",
                           "undefined",
                           "<<X\nX\n",
                           "{'a' => 1}; system('id')",
                           "'a",
                           "\"a",
                           "{a => }",
                           "1 2",
                           "-",
                           "--1",
                           ""}) {
    EXPECT_TRUE(is_error(perl(text))) << text << " " << perl(text);
  }
}

TEST(OpsviewPerl, DepthIsBounded) { EXPECT_TRUE(is_error(perl(std::string(100'000, '{')))); }

TEST(OpsviewXml, AttributesAndChildrenAreMembers) {
  EXPECT_EQ(xml(R"(<opt username="a" password="b"/>)"), R"({"username":"a","password":"b"})");
  EXPECT_EQ(xml("<opt><username>a</username><set_state result=\"2\"><output>x &lt; y</output>"
                "</set_state></opt>"),
            R"({"username":"a","set_state":{"result":"2","output":"x < y"}})");
}

TEST(OpsviewXml, ALoneDataIsWhatIsMeant) {
  EXPECT_EQ(xml("<opt><data token=\"x\"/></opt>"), R"({"token":"x"})");
  EXPECT_EQ(xml("<opt><data>x</data></opt>"), R"({"data":"x"})");
}

TEST(OpsviewXml, WhatIsRepeatedIsAList) {
  EXPECT_EQ(xml("<opt><a>1</a><b/><a>2</a><a>3</a></opt>"), R"({"a":["1","2","3"],"b":""})");
}

TEST(OpsviewXml, TroubleIsAnError) {
  for (const char* text :
       {"", "x", "<opt>", "<opt></apt>", "<opt a=1/>",
        "<!DOCTYPE o [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><opt>&x;</opt>"}) {
    EXPECT_TRUE(is_error(xml(text))) << text << " " << xml(text);
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  for (int i = 0; i < 1000; ++i) deep += "</a>";
  EXPECT_TRUE(is_error(xml(deep)));
}

// What Opsview's answers are made of: maps of texts, null, lists of maps.
Data sample(std::mt19937& random) {
  const std::vector<std::string> pieces = {"'", "\"", "\\",  "<",  "&", "\u00e5", "\n", "\t", "$",
                                           "@", "%",  "]]>", "=>", "#", ",",      "x",  " "};
  auto text = [&] {
    std::string out = "v";
    for (auto n = random() % 6; n > 0; --n) out += pieces[random() % pieces.size()];
    return out + "v";
  };
  Data data = Data::map();
  data.add("token", Data::text(text()));
  data.add("empty", Data::text(""));
  Data list = Data::list();
  for (int i = 0; i < 2; ++i) list.items.push_back(Data::map().add("detail", Data::text(text())));
  data.add("messages", std::move(list));
  return data.add("inner", Data::map().add("a.b", Data::text(text())));
}

TEST(OpsviewData, WhatIsWrittenReadsBackTheSame) {
  std::mt19937 random(20262);  // NOLINT: the same every time
  for (int i = 0; i < 500; ++i) {
    const Data data = sample(random);
    EXPECT_EQ(parse_json(to_json(data)).value(), data);
    EXPECT_EQ(parse_perl(to_perl(data)).value(), data) << to_perl(data);
    EXPECT_EQ(xml(to_xml(data)), to_json(data)) << to_xml(data);
  }
}

TEST(OpsviewData, PerlIsWrittenAsDataDumperDoes) {
  Data data = Data::map().add("token", Data::text("it's"));
  data.add("none", Data{});
  EXPECT_EQ(to_perl(data), R"({'token' => 'it\'s','none' => undef})");
}

TEST(OpsviewData, XmlHoldsNoControlCharacters) {
  EXPECT_EQ(to_xml(Data::map().add("a", Data::text("x\x01y"))), "<opt><data a=\"x y\"/></opt>");
}

}  // namespace
}  // namespace checkrelay::opsview
