// The verdict table of wire.h, row by row.
#include <gtest/gtest.h>

#include <chrono>

#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/op5/wire.h"

namespace checkrelay::op5 {
namespace {

using namespace std::chrono_literals;

const Credentials kLogin{"relay", Secret("hunter2-secret")};
const Wall kNow = Wall(std::chrono::seconds(784111700));  // 1994-11-06 08:48:20

constexpr std::string_view kConfirmed =
    R"({"result":"Successfully submitted PROCESS_SERVICE_CHECK_RESULT"})";
constexpr std::string_view kComplaint = R"({"error":"short","full_error":"long"})";
constexpr std::string_view kHtml = "<html><body>index mismatch</body></html>";

Verdict judged(int status, std::string_view body, std::vector<Header> headers = {}) {
  Message m = Message::response(status, std::string(body), "application/json");
  m.headers.insert(m.headers.end(), headers.begin(), headers.end());
  return judge(m, kLogin, kNow);
}

struct Row {
  int status = 0;
  std::string_view body{};
  Judgement judgement{};
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.status << ' ' << row.body; }

class VerdictTable : public testing::TestWithParam<Row> {};

TEST_P(VerdictTable, Holds) {
  Verdict v = judged(GetParam().status, GetParam().body);
  EXPECT_EQ(to_string(v.judgement), to_string(GetParam().judgement))
      << GetParam().status << " " << GetParam().body;
  EXPECT_FALSE(v.answer.empty());
}

using enum Judgement;
INSTANTIATE_TEST_SUITE_P(
    Op5, VerdictTable,
    testing::Values(
        Row{200, kConfirmed, delivered}, Row{200, R"({"result":"x","more":1})", delivered},
        Row{200, "", transient}, Row{200, kHtml, transient}, Row{200, "[]", transient},
        Row{200, "{}", transient}, Row{200, R"("result")", transient}, Row{200, "null", transient},
        Row{200, R"({"result":""})", transient}, Row{200, R"({"result":null})", transient},
        Row{200, R"({"result":true})", transient}, Row{200, R"({"Result":"x"})", transient},
        Row{200, R"({"result":"x","error":"y"})", transient},
        Row{200, R"({"result":"x")", transient}, Row{200, R"({"result":"x"} trailing)", transient},
        Row{200, kComplaint, transient}, Row{201, kConfirmed, transient},
        Row{202, kConfirmed, transient}, Row{204, "", transient},
        Row{400, kComplaint, unknown_object}, Row{400, kHtml, unknown_object},
        Row{400, "", unknown_object}, Row{404, kComplaint, unknown_object}, Row{404, kHtml, config},
        Row{404, "", config}, Row{404, "{}", config}, Row{404, R"(["error"])", config},
        Row{413, kHtml, rejected}, Row{422, kComplaint, rejected}, Row{422, "", rejected},
        Row{401, kComplaint, auth}, Row{401, kHtml, auth}, Row{403, "", auth}, Row{301, "", config},
        Row{302, kConfirmed, config}, Row{307, "", config}, Row{308, "", config},
        Row{304, "", config}, Row{405, kComplaint, config}, Row{406, "", config},
        Row{407, "", config}, Row{415, "", config}),
    [](const auto& p) { return "Row" + std::to_string(p.index); });
INSTANTIATE_TEST_SUITE_P(Op5Transient, VerdictTable,
                         testing::Values(Row{408, "", transient}, Row{409, kComplaint, transient},
                                         Row{425, "", transient}, Row{429, "", transient},
                                         Row{500, kComplaint, transient}, Row{501, "", transient},
                                         Row{502, kHtml, transient}, Row{503, "", transient},
                                         Row{504, kHtml, transient}, Row{509, "sanity", transient},
                                         Row{599, "", transient}, Row{402, "", transient},
                                         Row{410, kComplaint, transient}, Row{418, "", transient},
                                         Row{100, "", transient}, Row{600, kConfirmed, transient},
                                         Row{0, kConfirmed, transient}, Row{-1, "", transient}),
                         [](const auto& p) { return "Row" + std::to_string(p.index); });

TEST(Op5Verdict, OnlyTlsTroubleIsTheConfigurations) {
  for (Trouble t : {Trouble::connect, Trouble::timeout, Trouble::dropped, Trouble::too_large,
                    Trouble::io, Trouble::cancelled, Trouble::none}) {
    EXPECT_EQ(judge(Message::failure(t, "why"), kLogin, kNow).judgement, Judgement::transient);
  }
  Verdict v = judge(Message::failure(Trouble::tls, "self-signed certificate"), kLogin, kNow);
  EXPECT_EQ(v.judgement, Judgement::config);
  EXPECT_EQ(v.answer, "self-signed certificate");
}

TEST(Op5Verdict, BytesAreNoAnswer) {
  Verdict v = judge(Message::bytes(std::string(kConfirmed)), kLogin, kNow);
  EXPECT_EQ(v.judgement, Judgement::transient);
  EXPECT_EQ(v.answer, "no HTTP answer");
}

TEST(Op5Verdict, SanityProtectionPausesAtLeastSixSeconds) {
  EXPECT_EQ(judged(509, "").retry_after, Duration(6s));
  EXPECT_EQ(judged(509, "", {{"Retry-After", "2"}}).retry_after, Duration(6s));
  EXPECT_EQ(judged(509, "", {{"Retry-After", "60"}}).retry_after, Duration(60s));
}

TEST(Op5Verdict, RetryAfterIsHonouredInSecondsOrAsADate) {
  EXPECT_EQ(judged(503, "", {{"retry-after", " 120 "}}).retry_after, Duration(120s));
  EXPECT_EQ(judged(429, "", {{"Retry-After", "0"}}).retry_after, Duration(0s));
  EXPECT_EQ(judged(503, "", {{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}).retry_after,
            Duration(77s));
  EXPECT_EQ(judged(503, "", {{"Retry-After", "Sunday, 06-Nov-94 08:49:37 GMT"}}).retry_after,
            Duration(77s));
  EXPECT_EQ(judged(503, "", {{"Retry-After", "Sun Nov  6 08:49:37 1994"}}).retry_after,
            Duration(77s));
  EXPECT_EQ(judged(401, "", {{"Retry-After", "5"}}).retry_after, Duration(5s));
}

TEST(Op5Verdict, RetryAfterNeverAsksForLessThanNothingOrMoreThanADay) {
  EXPECT_EQ(judged(503, "", {{"Retry-After", "Sun, 06 Nov 1994 08:48:00 GMT"}}).retry_after,
            Duration(0s));
  EXPECT_EQ(judged(503, "", {{"Retry-After", "99999999999999999999"}}).retry_after, Duration(24h));
  EXPECT_EQ(judged(503, "", {{"Retry-After", "Sun, 06 Nov 2094 08:49:37 GMT"}}).retry_after,
            Duration(24h));
}

TEST(Op5Verdict, UnreadableRetryAfterIsIgnored) {
  for (std::string_view text :
       {"", "soon", "-5", "1.5", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994",
        "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 Nov 1994 28:49:37 GMT"}) {
    EXPECT_EQ(judged(503, "", {{"Retry-After", std::string(text)}}).retry_after, std::nullopt)
        << text;
  }
}

TEST(Op5Verdict, SettledItemsHaveNoRetryAfter) {
  EXPECT_EQ(judged(200, kConfirmed, {{"Retry-After", "9"}}).retry_after, std::nullopt);
  EXPECT_EQ(judged(422, "", {{"Retry-After", "9"}}).retry_after, std::nullopt);
}

TEST(Op5Verdict, AnswerKeepsTheServersWords) {
  EXPECT_EQ(judged(400, kComplaint).answer, "HTTP 400: short: long");
  EXPECT_EQ(judged(500, R"({"error":"e","full_error":{"type":"X","n":[1]}})").answer,
            R"(HTTP 500: e: {"type":"X","n":[1]})");
  EXPECT_EQ(judged(502, "Bad\r\n\tGateway\x01 \n").answer, "HTTP 502: Bad Gateway");
  EXPECT_EQ(judged(503, "").answer, "HTTP 503");
  EXPECT_EQ(judged(302, "", {{"Location", "https://login.example.com/"}}).answer,
            "HTTP 302 to https://login.example.com/");
}

TEST(Op5Verdict, AnswerIsCutOnACharacterBoundary) {
  std::string body(400, 'x');
  for (int i = 0; i < 400; ++i) body += "\u20ac";
  Verdict v = judged(500, body);
  EXPECT_LE(v.answer.size(), 500U);
  EXPECT_GT(v.answer.size(), 490U);
  EXPECT_TRUE(is_valid_utf8(v.answer));
}

TEST(Op5Verdict, AnswerIsValidUtf8WhateverComes) {
  EXPECT_TRUE(is_valid_utf8(judged(500, "\xff\xfe caf\xe9").answer));
}

TEST(Op5Verdict, EchoedSecretIsTakenOut) {
  for (const std::string& echo :
       {std::string("password hunter2-secret is wrong"),
        "Authorization: Basic " + base64("relay:hunter2-secret"),
        std::string(R"({"error":"hunter2-secret","full_error":{"p":"hunter2-secret"}})"),
        std::string(490, 'x') + "hunter2-secret"}) {
    std::string answer = judged(401, echo).answer;
    EXPECT_EQ(answer.find("hunter2"), std::string::npos) << answer;
    EXPECT_EQ(answer.find(base64("relay:hunter2-secret")), std::string::npos) << answer;
  }
}

TEST(Op5Verdict, DeepJsonIsNoConfirmation) {
  std::string deep = R"({"result":)" + std::string(200000, '[');
  EXPECT_EQ(judged(200, deep).judgement, Judgement::transient);
}

TEST(Base64, MatchesTheRfcsExamples) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace checkrelay::op5
