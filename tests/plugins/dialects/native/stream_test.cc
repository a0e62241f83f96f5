#include "plugins/dialects/native/stream.h"

#include <gtest/gtest.h>

#include "plugins/dialects/native/dialect.h"
#include "tests/contract/stream_contract.h"

namespace checkrelay::test {
namespace {

using std::chrono::seconds;
constexpr std::string_view kGood = "{\"host\":\"h\",\"state\":0}\n";

Player stream(std::size_t max_result = 64 * 1024) {
  InboundContext context;
  context.max_result = max_result;
  return Player(native_dialect(), context);
}

TEST(NativeStream, AnswersEveryResultByALine) {
  Player p = stream();
  p.feed("{\"host\":\"h\",\"state\":0}\n\n{\"host\":\"h\",\"service\":\"s\",\"state\":\"9\"}\n");
  EXPECT_EQ(p.heard().replies, "");
  p.settle_all();
  EXPECT_EQ(p.heard().replies,
            "{\"ok\":true,\"id\":\"1\"}\n"
            "{\"ok\":false,\"error\":\"line 3: state: \\\"9\\\" is not 0-3\"}\n");
  EXPECT_FALSE(p.heard().closed);
}

TEST(NativeStream, WhatAdmissionRefusesIsToldWithItsLine) {
  Player p = stream();
  p.feed(kGood);
  p.feed(kGood);
  p.settle_next();
  p.settle_next(false);
  EXPECT_EQ(p.heard().replies,
            "{\"ok\":true,\"id\":\"1\"}\n{\"ok\":false,\"error\":\"line 2: not yours\"}\n");
  EXPECT_TRUE(p.heard().refused.empty()) << "admission has counted it";
}

TEST(NativeStream, OneChunkIsOneSubmission) {
  Player p = stream();
  p.feed(std::string(kGood) + std::string(kGood) + std::string(kGood));
  EXPECT_EQ(p.open(), 1U);
  EXPECT_EQ(p.heard().results.size(), 3U);
}

TEST(NativeStream, ALineLongerThanAllowedIsRefusedWithItsEndInSight) {
  Player p = stream(50);
  p.feed(std::string(51, 'x') + "\n" + std::string(50, 'y') + "\n");
  EXPECT_NE(p.heard().replies.find("line 1: longer than"), std::string::npos);
  EXPECT_NE(p.heard().replies.find("line 2: not host TAB"), std::string::npos);
  EXPECT_FALSE(p.heard().closed);
}

TEST(NativeStream, AnEndlessLineIsRefusedThenTheConnectionCloses) {
  Player p = stream(50);
  p.feed(std::string(51, 'x'));
  EXPECT_NE(p.heard().replies.find("longer than"), std::string::npos);
  EXPECT_FALSE(p.heard().closed);
  p.feed(std::string(50 * native::kPassOver, 'x'));
  EXPECT_TRUE(p.heard().closed);
}

TEST(NativeStream, AnOverlongLineWhoseEndDoesNotComeClosesTheConnection) {
  Player p = stream(50);
  p.feed(std::string(51, 'x'));
  p.advance(native::kPatience - Duration(1));
  EXPECT_FALSE(p.heard().closed);
  p.feed("x");
  p.advance(Duration(1));
  EXPECT_TRUE(p.heard().closed);
}

TEST(NativeStream, HalfALineAndSilenceIsRefusedAndCloses) {
  Player p = stream();
  p.feed(kGood);
  p.settle_all();
  p.feed("{\"host\":");
  p.advance(seconds(59));
  EXPECT_FALSE(p.heard().closed);
  p.advance(seconds(1));
  EXPECT_TRUE(p.heard().closed);
  EXPECT_NE(p.heard().replies.find("line 2: incomplete, and nothing more for 1m"),
            std::string::npos)
      << p.heard().replies;
}

TEST(NativeStream, SilenceBetweenLinesIsNoFault) {
  Player p = stream();
  p.feed(kGood);
  p.settle_all();
  p.advance(std::chrono::hours(24));
  EXPECT_FALSE(p.heard().closed);
  EXPECT_TRUE(p.heard().refused.empty());
}

TEST(NativeStream, ClosesOnlyWhenNothingIsOwed) {
  Player p = stream();
  p.feed(kGood);
  p.feed("{");
  p.advance(seconds(61));
  EXPECT_FALSE(p.heard().closed);
  p.settle_all();
  EXPECT_TRUE(p.heard().closed);
}

TEST(NativeStream, AfterAMalformedMessagePackObjectThereIsNoWayOn) {
  Player p = stream();
  p.feed("\x81\xa1x\xc1 and more");
  EXPECT_EQ(p.heard().replies,
            "{\"ok\":false,\"error\":\"element 1: the byte 0xc1 begins no MessagePack value\"}\n");
  EXPECT_TRUE(p.heard().closed);
}

TEST(NativeStream, AMapThatClaimsTooMuchIsRefusedAtOnce) {
  Player p = stream();
  p.feed("\xdf\xff\xff\xff\xff");
  EXPECT_NE(p.heard().replies.find("longer than 64KiB"), std::string::npos) << p.heard().replies;
  EXPECT_TRUE(p.heard().closed);
}

TEST(NativeStream, AWellFormedMapWithABadFieldLeavesTheStreamOpen) {
  Player p = stream();
  p.feed("\x81\xa1x\x01");
  EXPECT_NE(p.heard().replies.find("\\\"x\\\" is not a key"), std::string::npos);
  EXPECT_FALSE(p.heard().closed);
}

TEST(NativeStream, ManyTinyChunksOfOneLineCostLinearTime) {
  Player p = stream(4'000'000);
  std::string line =
      "{\"host\":\"h\",\"state\":0,\"output\":\"" + std::string(2'000'000, 'x') + "\"}\n";
  p.feed_in_chunks(line, 16);
  EXPECT_EQ(p.heard().results.size(), 1U);
}

TEST(NativeFile, TellsLineOfWhatAdmissionRefuses) {
  InboundContext context;
  context.framing = Framing::file;
  Player p(native_dialect(), context);
  p.feed("\n" + std::string(kGood));
  p.finish();
  p.settle_next(false, Errc::refused);
  EXPECT_EQ(p.heard().replies, "");
  ASSERT_EQ(p.heard().refused.size(), 1U);
  EXPECT_EQ(p.heard().refused[0].line, 2U);
  EXPECT_EQ(p.heard().refused[0].what, "not yours");
  EXPECT_TRUE(p.heard().closed);
}

TEST(NativeFile, AFullJournalIsNoRefusal) {
  InboundContext context;
  context.framing = Framing::file;
  Player p(native_dialect(), context);
  p.feed(kGood);
  p.finish();
  p.settle_next(false, Errc::full);
  EXPECT_TRUE(p.heard().refused.empty());
}

TEST(NativeFile, EndsWithoutResultsWhereEmpty) {
  InboundContext context;
  context.framing = Framing::file;
  Player p(native_dialect(), context);
  p.finish();
  EXPECT_TRUE(p.heard().closed);
}

}  // namespace
}  // namespace checkrelay::test
