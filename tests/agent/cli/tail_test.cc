#include "agent/cli/tail.h"

#include <gtest/gtest.h>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using namespace std::string_literals;

std::string tail_of(std::string_view text, std::size_t limit, std::size_t step = 0) {
  Tail tail(limit);
  for (std::size_t i = 0; i < text.size(); i += step ? step : text.size())
    tail.add(text.substr(i, step ? step : text.npos));
  return tail.text();
}

TEST(Harmless, PlainTextStaysAsItIs) {
  EXPECT_EQ(harmless("a\tb\nc \xC3\xA9\n"), "a\tb\nc \xC3\xA9");
  EXPECT_EQ(harmless(""), "");
  EXPECT_EQ(harmless("\n \n"), "");
}

TEST(Harmless, ABarDoesNotBeginPerfdata) {
  EXPECT_EQ(harmless("a|b"),
            "a\xC2\xA6"
            "b");
}

TEST(Harmless, ColoursAndTitlesGo) {
  EXPECT_EQ(harmless("\x1B[1;31mred\x1B[0m"), "red");
  EXPECT_EQ(harmless("\x1B]0;title\atext"), "text");
  EXPECT_EQ(harmless("\x1B]0;title\x1B\\text"), "text");
  EXPECT_EQ(harmless("a\x1B(Bb\x1B"
                     "c d"),
            "ab d");
}

TEST(Harmless, UnfinishedSequencesEndWithTheTextOrTheirLine) {
  for (const char* text : {"a\x1B", "a\x1B[", "a\x1B[12;", "a\x1B]0;x", "a\x1B("})
    EXPECT_EQ(harmless(text), "a") << text;
  EXPECT_EQ(harmless("a\x1B]0;x\nb"), "a\nb");
  EXPECT_EQ(harmless("a\x1B[\nb"), "a\nb");
}

TEST(Harmless, WhatACarriageReturnWentBackOverIsGone) {
  EXPECT_EQ(harmless("one\n10%\r20%\r100%\ndone"), "one\n100%\ndone");
  EXPECT_EQ(harmless("dos\r\nlines\r\n"), "dos\nlines");
  EXPECT_EQ(harmless("99%\r"), "99%");
}

TEST(Harmless, OtherControlCharactersAreSeenAndDoNothing) {
  EXPECT_EQ(harmless("a\0b\x07\x08\x7F"s), "a?b???");
  EXPECT_EQ(harmless("\xC2\x9B"
                     "31m\xC2\xA0x"),
            "?31m\xC2\xA0x");
}

TEST(Harmless, EveryByteGivesUtf8WithoutControls) {
  std::string all;
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) (all += static_cast<char>(a)) += static_cast<char>(b);
  std::string text = harmless(all);
  EXPECT_TRUE(is_valid_utf8(text));
  for (char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
  EXPECT_EQ(text.find('|'), text.npos);
}

TEST(Tail, ShortOutputIsThereWhole) {
  EXPECT_EQ(tail_of("one\ntwo\n", 100), "one\ntwo");
  EXPECT_EQ(tail_of("", 100), "");
}

TEST(Tail, LongOutputEndsInWholeLines) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::to_string(i) + "\n";
  for (std::size_t step : {0U, 1U, 7U, 100U}) {
    std::string tail = tail_of(text, 64, step);
    EXPECT_LE(tail.size(), 64U);
    EXPECT_TRUE(tail.starts_with("...\nline ")) << tail;
    EXPECT_TRUE(tail.ends_with("line 998\nline 999")) << tail;
  }
}

TEST(Tail, ALineWithoutEndIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xE2\x82\xAC";
  for (std::size_t limit = 20; limit < 30; ++limit) {
    std::string tail = tail_of(text, limit, 5);
    EXPECT_LE(tail.size(), limit);
    EXPECT_TRUE(tail.starts_with("...\n\xE2\x82\xAC"));
    EXPECT_EQ(tail.find("\xEF\xBF\xBD"), tail.npos) << "no character was cut";
  }
}

TEST(Tail, GrowingTextStaysWithinTheLimit) {
  for (std::size_t size : {10U, 99U, 100U, 101U, 500U}) {
    EXPECT_LE(tail_of(std::string(size, '|'), 100).size(), 100U);
    EXPECT_LE(tail_of(std::string(size, '\xFF'), 100).size(), 100U);
  }
  EXPECT_EQ(tail_of(std::string(100, 'x'), 100), std::string(100, 'x'));
}

TEST(Tail, ANewTryBeginsWithNothing) {
  Tail tail(10);
  tail.add(std::string(1000, 'x'));
  tail.clear();
  tail.add("new");
  EXPECT_EQ(tail.text(), "new");
}

}  // namespace
}  // namespace checkrelay
