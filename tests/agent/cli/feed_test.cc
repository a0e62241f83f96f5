#include "agent/cli/feed.h"

#include <gmock/gmock.h>

namespace checkrelay {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

// What comes out, errors in angle brackets, when the input arrives in pieces of `size`.
std::vector<std::string> items(const std::string& input, std::size_t size,
                               std::size_t limit = 100) {
  Feed feed(limit);
  std::vector<std::string> out;
  auto drain = [&] {
    while (auto item = feed.next()) {
      out.push_back(std::to_string(item->number) + ":" +
                    (item->error.empty() ? item->bytes : "<" + item->error + ">"));
    }
  };
  for (std::size_t i = 0; i < input.size(); i += size) {
    feed.add(std::string_view(input).substr(i, size));
    drain();
  }
  feed.finish();
  drain();
  return out;
}

TEST(Feed, LinesComeOutWholeAtEveryChunkSize) {
  std::string input = "\n{\"a\":1}\r\n\n  \n{\"b\":2}\nbad\n{\"last\":3}";
  for (std::size_t size = 1; size <= input.size(); ++size) {
    EXPECT_THAT(
        items(input, size),
        ElementsAre("2:{\"a\":1}\r\n", "5:{\"b\":2}\n",
                    "6:<is not in the format of the first line: \"bad\">", "7:{\"last\":3}\n"));
  }
}

TEST(Feed, ExternalCommandsAndTextAreLinesToo) {
  EXPECT_THAT(items("[1] A\n[2] B\n", 3), ElementsAre("1:[1] A\n", "2:[2] B\n"));
  EXPECT_THAT(items("h\ts\t0\tx\n{\"j\":1}\n", 3),
              ElementsAre("1:h\ts\t0\tx\n",
                          "2:<is not in the format of the first line: \"{\\\"j\\\":1}\">"));
}

TEST(Feed, LineThatIsTooLongIsRefusedOnce) {
  std::string input = "{1\n{" + std::string(500, 'x') + "\n{2\n";
  for (std::size_t size : {1UL, 7UL, 1000UL}) {
    EXPECT_THAT(items(input, size), ElementsAre("1:{1\n", "2:<is longer than 100>", "3:{2\n"))
        << size;
  }
}

TEST(Feed, BlankLineThatIsTooLongIsRefusedAtEveryChunkSize) {
  std::string input = "{1\n" + std::string(101, ' ') + "\n{2\n";
  for (std::size_t size : {1UL, 7UL, 1000UL}) {
    EXPECT_THAT(items(input, size), ElementsAre("1:{1\n", "2:<is longer than 100>", "3:{2\n"))
        << size;
  }
}

TEST(Feed, MessagePackMapsComeOutWholeAtEveryChunkSize) {
  // {"a": [1, nil, "xy"], "b": {"c": 300}} and {}
  std::string first =
      "\x82\xa1"
      "a\x93\x01\xc0\xa2xy\xa1"
      "b\x81\xa1"
      "c\xcd\x01\x2c"s;
  std::string second = "\x80"s;
  for (std::size_t size = 1; size <= 20; ++size) {
    EXPECT_THAT(items(first + second, size), ElementsAre("1:" + first, "2:" + second));
  }
}

TEST(Feed, HalfAMapIsRefused) {
  EXPECT_THAT(items("\x81\xa1"s, 1), ElementsAre("1:<is no MessagePack map that ends within 100>"));
}

TEST(Feed, MapThatClaimsTooMuchIsRefused) {
  EXPECT_THAT(items("\xdf\xff\xff\xff\xff"s + std::string(200, '\x01'), 50),
              ElementsAre("1:<is no MessagePack map that ends within 100>"));
}

TEST(MsgpackLength, KnowsEveryHead) {
  struct {
    std::string bytes;
    std::size_t length;
  } cases[] = {{"\x00"s, 1},
               {"\xff"s, 1},
               {"\xc0"s, 1},
               {"\xc3"s, 1},
               {"\xc4\x02xx"s, 4},
               {"\xc5\x00\x01x"s, 4},
               {"\xc6\x00\x00\x00\x01x"s, 6},
               {"\xc7\x01tx"s, 4},
               {"\xca\0\0\0\0"s, 5},
               {"\xcb\0\0\0\0\0\0\0\0"s, 9},
               {"\xcc\x01"s, 2},
               {"\xcf\0\0\0\0\0\0\0\0"s, 9},
               {"\xd0\x01"s, 2},
               {"\xd3\0\0\0\0\0\0\0\0"s, 9},
               {"\xd4t1"s, 3},
               {"\xd8t0123456789abcdef"s, 18},
               {"\xd9\x01x"s, 3},
               {"\xdb\x00\x00\x00\x01x"s, 6},
               {"\xdc\x00\x02\x01\x01"s, 5},
               {"\xdd\x00\x00\x00\x01\x01"s, 6},
               {"\xde\x00\x01\x01\x01"s, 5},
               {"\xdf\x00\x00\x00\x01\x01\x01"s, 7}};
  for (const auto& c : cases) {
    EXPECT_EQ(msgpack_length(c.bytes + "rest"), c.length) << ::testing::PrintToString(c.bytes);
    for (std::size_t cut = 0; cut < c.length; ++cut) {
      EXPECT_EQ(msgpack_length(std::string_view(c.bytes).substr(0, cut)), 0u);
    }
  }
  EXPECT_EQ(msgpack_length("\xc1"s), std::nullopt);
}

TEST(Identity, IsGivenWhereThereIsNone) {
  Wall time{std::chrono::seconds(5)};
  EXPECT_EQ(with_identity("{\"host\":\"a\"}\n", "I", time),
            "{\"id\":\"I\",\"time\":5,\"host\":\"a\"}\n");
  EXPECT_EQ(with_identity("{ \"id\" : \"x\", \"a\":1}", "I", time),
            "{\"time\":5, \"id\" : \"x\", \"a\":1}");
  EXPECT_EQ(with_identity("{\"a\":{\"id\":1},\"b\":[{\"time\":1}],\"c\":\"id\"}", "I", time),
            "{\"id\":\"I\",\"time\":5,\"a\":{\"id\":1},\"b\":[{\"time\":1}],\"c\":\"id\"}");
  EXPECT_EQ(with_identity("{}", "I", time), "{\"id\":\"I\",\"time\":5}");
  EXPECT_EQ(with_identity("{\"start\":true}", "I", time), "{\"time\":5,\"start\":true}")
      << "a run's id is its producer's";
  EXPECT_EQ(with_identity("{\r}", "I", time), "{\"id\":\"I\",\"time\":5\r}");
}

TEST(Identity, WhatIsNoObjectStaysAsItIs) {
  for (const char* line : {"", "{", "{\"open", "[1] X", "text"}) {
    EXPECT_EQ(with_identity(line, "I", {}), line);
  }
}

TEST(Reply, TellsRefusalWithItsReason) {
  EXPECT_TRUE(parse_reply("{\"ok\":true,\"id\":\"x\"}").ok);
  Reply refused = parse_reply("{\"ok\":false,\"error\":\"state: \\\"9\\\" is\\n not\"}");
  EXPECT_FALSE(refused.ok);
  EXPECT_EQ(refused.error, "state: \"9\" is\n not");
  EXPECT_EQ(parse_reply("HTTP/1.1 400").error, "unexpected reply \"HTTP/1.1 400\"");
}

}  // namespace
}  // namespace checkrelay
