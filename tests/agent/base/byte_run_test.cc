#include "agent/base/byte_run.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace checkrelay {
namespace {

constexpr auto kSmall = [](unsigned char c) { return c < 0x80; };

TEST(ByteRun, EndsAtEveryPlaceOfEveryLength) {
  for (std::size_t size = 0; size <= 100; ++size)
    for (std::size_t bad = 0; bad <= size; ++bad) {
      std::string text(size, 'a');
      if (bad < size) text[bad] = '\x80';
      ASSERT_EQ(end_of_run(text, 0, kSmall), bad) << size;
    }
}

TEST(ByteRun, BeginsBehindWhatDoesNotFit) {
  const std::string text =
      "aaaaaaaaaaaaa\x80"
      "aaaaa\xFF"
      "a";
  EXPECT_EQ(end_of_run(text, 0, kSmall), 13U);
  EXPECT_EQ(end_of_run(text, 14, kSmall), 19U);
  EXPECT_EQ(end_of_run(text, 20, kSmall), 21U);
  EXPECT_EQ(end_of_run(text, 21, kSmall), 21U);
}

TEST(ByteRun, IsTheSameAsByteForByte) {
  constexpr unsigned kSeed = 3;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 130, 'a');
    for (auto n = random() % 4; n > 0 && !text.empty(); --n)
      text[random() % text.size()] = static_cast<char>(random());
    const std::size_t from = text.empty() ? 0 : random() % text.size();
    std::size_t end = from;
    while (end < text.size() && static_cast<unsigned char>(text[end]) < 0x80) ++end;
    ASSERT_EQ(end_of_run(text, from, kSmall), end) << i;
  }
}

}  // namespace
}  // namespace checkrelay
