#include "plugins/transports/http_text.h"

#include <gtest/gtest.h>

#include <string>

namespace checkrelay {
namespace {

const Wall kSomeDay{std::chrono::seconds(784111777)};

TEST(HttpDate, IsTheFixedFormOfTheStandard) {
  EXPECT_EQ(format_http_date(kSomeDay), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Base64, DecodesTheStandardsExamples) {
  EXPECT_EQ(*decode_base64(""), "");
  EXPECT_EQ(*decode_base64("Zg=="), "f");
  EXPECT_EQ(*decode_base64("Zm8="), "fo");
  EXPECT_EQ(*decode_base64("Zm9v"), "foo");
  EXPECT_EQ(*decode_base64("Zm9vYmFy"), "foobar");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm 9", "Zm9*", "Zg==Zg=="})
    EXPECT_FALSE(decode_base64(bad)) << bad;
}

TEST(Authorization, BearerTokenHasNoUser) {
  const auto c = parse_authorization("bearer abc.DEF-_~+/==");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->user, "");
  EXPECT_EQ(c->secret.reveal(), "abc.DEF-_~+/==");
}

TEST(Authorization, MalformedIsRefusedWithoutShowingIt) {
  for (const char* bad : {"Basic", "Basic ", "Basic c2VjcmV0", "Basic secret!", "Bearer",
                          "Bearer a b", "Bearer secret\"", "Basic YQo6Yg=="}) {
    const auto c = parse_authorization(bad);
    ASSERT_FALSE(c) << bad;
    EXPECT_EQ(c.error().what.find("secret"), std::string::npos);
  }
}

TEST(Authorization, UnknownSchemeGivesEmptyCredentials) {
  const auto c = parse_authorization("Digest username=\"u\"");
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->user.empty());
  EXPECT_TRUE(c->secret.empty());
}

TEST(Response, HasDateServerAndLength) {
  const std::string text =
      format_response(Message::response(200, "{}", "application/json"), {}, kSomeDay);
  EXPECT_EQ(text,
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: checkrelay\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(Response, ToHeadKeepsTheLengthAndLeavesTheBody) {
  const std::string text =
      format_response(Message::response(200, "hello", "text/plain"), {.omit_body = true}, kSomeDay);
  EXPECT_NE(text.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(Response, CannotBeSplitByAHeader) {
  Message m = Message::response(200, "", "text/plain");
  m.headers.push_back({"X", "a\r\nInjected: b"});
  m.headers.push_back({"Content-Length", "99"});
  const std::string text = format_response(m, {}, kSomeDay);
  EXPECT_EQ(text.find("Injected"), std::string::npos);
  EXPECT_EQ(text.find("99\r\n"), std::string::npos);
}

TEST(Response, NoContentHasNoLength) {
  const std::string text = format_response(Message::response(204, "x", "text/plain"), {}, kSomeDay);
  EXPECT_EQ(text.find("Content-Length"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(RefusalLine, IsOneLineOfJsonWhateverTheReason) {
  EXPECT_EQ(refusal_line("no \"x\"\n\xff"),
            "{\"ok\":false,\"error\":\"no \\\"x\\\"\\n\xEF\xBF\xBD\"}\n");
}

TEST(Sniff, DecidesOnlyWhenEnoughCame) {
  EXPECT_EQ(sniff(""), Speaks::undecided);
  EXPECT_EQ(sniff("P"), Speaks::undecided);
  EXPECT_EQ(sniff("PO"), Speaks::undecided);
  EXPECT_EQ(sniff("POST"), Speaks::undecided);
  EXPECT_EQ(sniff("POST "), Speaks::http);
  EXPECT_EQ(sniff("GET /"), Speaks::http);
  EXPECT_EQ(sniff("POSTBOX\t"), Speaks::other);
  EXPECT_EQ(sniff("GET\tx"), Speaks::other);
  EXPECT_EQ(sniff("{"), Speaks::other);
  EXPECT_EQ(sniff("get "), Speaks::other);
}

}  // namespace
}  // namespace checkrelay
