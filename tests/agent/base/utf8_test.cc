#include <gtest/gtest.h>

#include <random>
#include <string>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

#define FFFD "\xEF\xBF\xBD"

std::string repaired(std::string text) {
  make_valid_utf8(text);
  return text;
}

// Unicode 15, section 3.9, tables 3-8 to 3-11.
TEST(MakeValidUtf8, NonShortestFormsAreReplacedByteByByte) {
  EXPECT_EQ(repaired("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
}

TEST(MakeValidUtf8, SurrogatesAreReplacedByteByByte) {
  EXPECT_EQ(repaired("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
}

TEST(MakeValidUtf8, OtherIllFormedBytesAreReplacedOneByOne) {
  EXPECT_EQ(repaired("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B");
}

TEST(MakeValidUtf8, TruncatedSequencesAreReplacedAsOne) {
  EXPECT_EQ(repaired("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), FFFD FFFD FFFD FFFD "A");
}

TEST(MakeValidUtf8, CountsReplacements) {
  std::string text = "a\xFF\xFE\xE1\x80";
  EXPECT_EQ(make_valid_utf8(text), 3U);
  EXPECT_EQ(make_valid_utf8(text), 0U);
}

TEST(MakeValidUtf8, LeavesValidTextAlone) {
  std::string text = "grün ✓ 𝄞\xF4\x8F\xBF\xBF";
  text += std::string("\0\n", 2);
  std::string before = text;
  EXPECT_EQ(make_valid_utf8(text), 0U);
  EXPECT_EQ(text, before);
}

TEST(MakeValidUtf8, RepairsWhateverThereIs) {
  constexpr unsigned kSeed = 42;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 ? 0x7E + random() % 0x82 : 'a');
    bool valid = is_valid_utf8(text);
    std::size_t replaced = make_valid_utf8(text);
    ASSERT_EQ(valid, replaced == 0);
    ASSERT_TRUE(is_valid_utf8(text));
  }
}

// The eight-byte stride must not hide a bad byte at any offset.
TEST(IsValidUtf8, FindsABadByteAtEveryOffset) {
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\xFF';
      ASSERT_FALSE(is_valid_utf8(text)) << size << " " << at;
    }
}

TEST(Utf8Prefix, EndsOnACharacterBoundary) {
  EXPECT_EQ(utf8_prefix("aä", 3), "aä");
  EXPECT_EQ(utf8_prefix("aä", 2), "a");
  EXPECT_EQ(utf8_prefix("✓✓", 5), "✓");
  EXPECT_EQ(utf8_prefix("✓", 0), "");
  EXPECT_EQ(utf8_prefix("abc", 10), "abc");
}

TEST(Utf8Prefix, CutsBytesThatAreNoCharactersWhereTheLimitIs) {
  EXPECT_EQ(utf8_prefix(std::string(2000, '\x80'), 1024).size(), 1024U);
}

TEST(Quoted, EscapesWhatCouldHurtATerminal) {
  EXPECT_EQ(checkrelay::quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(checkrelay::quoted(std::string("\0\x1b[2J\r\n\x7f", 8)),
            R"("\x00\x1b[2J\x0d\x0a\x7f")");
  EXPECT_EQ(checkrelay::quoted("\xFF\xE1\x80x"), R"("\xff\xe1\x80x")");
  EXPECT_EQ(checkrelay::quoted("grün"), "\"grün\"");
}

TEST(Quoted, CutsOnACharacterBoundary) {
  EXPECT_EQ(checkrelay::quoted("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(checkrelay::quoted("abc", 3), "\"abc\"");
  EXPECT_TRUE(is_valid_utf8(checkrelay::quoted(std::string(100, '\xC3') + "ä", 7)));
  EXPECT_LT(checkrelay::quoted(std::string(1'000'000, 'x')).size(), 80U);
}

}  // namespace
}  // namespace checkrelay
