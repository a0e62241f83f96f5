#include "agent/base/percent.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

TEST(Percent, EncodesAllButUnreservedCharacters) {
  EXPECT_EQ(percent_encoded("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encoded("db* /&=\xc3"), "db%2A%20%2F%26%3D%C3");
}

TEST(Percent, DecodesDigitsOfEitherCase) { EXPECT_EQ(percent_decoded("db%2a%2A%c3"), "db**\xc3"); }

TEST(Percent, SignWithoutTwoDigitsStays) {
  EXPECT_EQ(percent_decoded("%"), "%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%4g%%41"), "%4g%A");
}

TEST(Percent, PlusIsABlankInFormsAlone) {
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
  EXPECT_EQ(form_decoded("a+b%2B"), "a b+");
}

TEST(Percent, EveryByteComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(percent_decoded(percent_encoded(text)), text) << byte;
    EXPECT_EQ(form_decoded(percent_encoded(text)), text) << byte;
  }
}

}  // namespace
}  // namespace checkrelay
