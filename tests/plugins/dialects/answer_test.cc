#include "plugins/dialects/answer.h"

#include <gtest/gtest.h>

#include <array>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

const Wall kMoment(std::chrono::seconds(784'111'777));

TEST(HttpDate, ThreeFormsAreRead) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kMoment);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kMoment);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kMoment);
}

TEST(HttpDate, NumbersHaveNoSigns) {
  for (const char* text : {"Sun, 06 Nov 1994 -8:49:37 GMT", "Sun, 06 Nov 1994 08:-9:37 GMT",
                           "Sun, 06 Nov 1994 08:49:-7 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov--4 08:49:37 GMT"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

TEST(HttpDate, NothingBehindTheDateIsSkipped) {
  const std::string padded = "Sun," + std::string(39, ' ') + "06 Nov 1994 08:49:37 GMT";
  ASSERT_GT(padded.size(), 64U);
  EXPECT_FALSE(parse_http_date(padded + " and more"));
  EXPECT_FALSE(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT;"));
}

TEST(Presentable, StaysUtf8WhenTheSecretIsNot) {
  const std::string secret = "\xbd\xef\xbf\xbd\xef";  // lies across replacement characters
  const std::string text = presentable("\xef.\xff\xff\xff!", {"relay", Secret(secret)});
  EXPECT_TRUE(is_valid_utf8(text)) << quoted(text);
}

TEST(Presentable, TakesTheSecretOut) {
  const Credentials login{"relay", Secret("hunter2")};
  EXPECT_EQ(presentable("no hunter2\r\nhere", login), "no [secret] here");
  EXPECT_EQ(presentable("Basic " + base64("relay:hunter2"), login), "Basic [secret]");
}

TEST(Presentable, NoSecretOfASessionIsCutInTwo) {
  const Credentials login{"relay", Secret("hunter2")};
  const std::array<Secret, 2> session{Secret("token-of-one"), Secret()};
  const std::string before(kAnswerLimit - 4, 'x');
  const std::string text = presentable(before + " token-of-one", login, session);
  EXPECT_EQ(text, before + " [se");
}

TEST(Presentable, AnAnswerOfNothingButSecretsIsReadAtOnce) {
  std::string words;
  while (words.size() < 1 << 20) words += "hunter2";
  EXPECT_TRUE(presentable(words, {"relay", Secret("hunter2")}).starts_with("[secret][secret]"));
}

}  // namespace
}  // namespace checkrelay
