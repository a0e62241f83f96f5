#include <gtest/gtest.h>

#include "plugins/dialects/native/dialect.h"
#include "plugins/dialects/native/stream.h"
#include "tests/contract/stream_contract.h"

namespace checkrelay::test {
namespace {

Player opened(Framing framing, std::size_t max_result = 64 * 1024) {
  InboundContext context;
  context.framing = framing;
  context.max_result = max_result;
  return Player(native_dialect(), context);
}

TEST(NativeFifo, JudgesEachLineByItself) {
  Player p = opened(Framing::lines);
  p.feed(
      "{\"host\":\"a\",\"state\":0}\n"
      "[1700000000] PROCESS_HOST_CHECK_RESULT;b;1;gone\n"
      "c\tBackup\t2\tbroken\n"
      "\x81garbage\n"
      "rubbish\n"
      "d\t1\tgone\x17"
      "e\t1\tgone\n");
  ASSERT_EQ(p.heard().results.size(), 5U);
  EXPECT_EQ(p.heard().results[4].subject.host, "e");
  EXPECT_EQ(p.heard().refused.size(), 2U);
  EXPECT_EQ(p.heard().replies, "");
}

TEST(NativeFifo, AnOverlongLineCostsOnlyItself) {
  Player p = opened(Framing::lines, 100);
  p.feed(std::string(1000, 'x'));
  p.feed(std::string(100'000, 'x') + "\n{\"host\":\"a\",\"state\":0}\n");
  EXPECT_EQ(p.heard().refused.size(), 1U);
  EXPECT_EQ(p.heard().results.size(), 1U);
  EXPECT_FALSE(p.heard().closed);
}

TEST(NativeFifo, HalfALineOfADeadWriterIsForgotten) {
  Player p = opened(Framing::lines);
  p.feed("{\"host\":\"a\",");
  p.advance(native::kIdle);
  p.feed("{\"host\":\"b\",\"state\":0}\n");
  ASSERT_EQ(p.heard().results.size(), 1U);
  EXPECT_EQ(p.heard().refused.size(), 1U);
  EXPECT_FALSE(p.heard().closed);
}

TEST(NativeDatagram, TakesAnyFormat) {
  Player p = opened(Framing::datagram);
  p.feed("{\"host\":\"a\",\n \"state\":0}");
  p.feed("{\"host\":\"b\",\"state\":0}\n{\"host\":\"c\",\"state\":0}\n");
  p.feed("[1] PROCESS_HOST_CHECK_RESULT;d;1;gone\n[1] PROCESS_HOST_CHECK_RESULT;e;1;gone");
  p.feed("f\t1\tgone\ng\t1\tgone");
  p.feed("\x82\xa4host\xa1h\xa5state\x01");
  std::string hosts;
  for (const CheckResult& r : p.heard().results) hosts += r.subject.host;
  EXPECT_EQ(hosts, "abcdefgh");
  EXPECT_TRUE(p.heard().refused.empty());
}

TEST(NativeDatagram, EachIsJudgedByItself) {
  Player p = opened(Framing::datagram);
  p.feed("{\"host\":\"a\",");
  p.feed("{\"host\":\"b\",\"state\":0}");
  p.feed("");
  EXPECT_EQ(p.heard().results.size(), 1U);
  EXPECT_EQ(p.heard().refused.size(), 2U);
  EXPECT_FALSE(p.heard().closed);
}

TEST(NativeDatagram, AnOverlongResultIsRefused) {
  Player p = opened(Framing::datagram, 50);
  p.feed("{\"host\":\"a\",\"state\":0,\"output\":\"" + std::string(100, 'x') + "\"}");
  EXPECT_TRUE(p.heard().results.empty());
  ASSERT_EQ(p.heard().refused.size(), 1U);
  EXPECT_NE(p.heard().refused[0].what.find("longer than"), std::string::npos);
}

}  // namespace
}  // namespace checkrelay::test
