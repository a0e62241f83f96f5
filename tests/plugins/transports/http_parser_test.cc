#include "plugins/transports/http_parser.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace checkrelay {
namespace {

struct Parsed {
  std::vector<Message> requests{};
  int fault = 0;
  bool started = false;  // something of one more request was seen
};

Parsed parse(std::string_view wire, std::size_t piece, HttpLimits limits = {}) {
  HttpParser parser(limits);
  Parsed parsed;
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    std::string_view bytes = wire.substr(at, piece);
    while (!bytes.empty() && !parser.fault()) {
      bytes.remove_prefix(parser.feed(bytes));
      if (!parser.complete()) continue;
      parsed.requests.push_back(parser.take());
    }
  }
  parsed.fault = parser.fault() ? parser.fault()->status : 0;
  parsed.started = parser.started();
  return parsed;
}

struct Case {
  const char* name;
  std::string wire;
  int fault;             // 0 = taken
  std::size_t requests;  // complete ones before the fault
};

std::string get(const std::string& more) { return "GET / HTTP/1.1\r\nHost: a\r\n" + more + "\r\n"; }
std::string post(const std::string& more) { return "POST / HTTP/1.1\r\nHost: a\r\n" + more; }
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
const std::string kNext = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

// What is refused here is what two readers of one byte stream may understand differently.
const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"PlainGet", get(""), 0, 1},
      {"PostWithLength", post("Content-Length: 2\r\n\r\nhi"), 0, 1},
      {"PostWithoutBody", post("\r\n"), 0, 1},
      {"Chunked", post("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), 0, 1},
      {"ChunkedInAnyCase", post("Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"), 0, 1},
      {"ChunkExtension", post("Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\n\r\n"), 0, 1},
      {"Trailer", post("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"), 0, 1},
      {"Pipelined", get("") + kNext, 0, 2},
      {"EmptyLinesBefore", "\r\n\r\n" + get(""), 0, 1},
      {"AbsoluteForm", "GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", 0, 1},
      {"OptionsStar", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0, 1},
      {"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", 0, 1},
      {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 1},
      {"UpgradeIsNotTaken", get("Connection: upgrade\r\nUpgrade: websocket\r\n") + kNext, 0, 2},
      {"LengthAndChunked",
       post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") + kNext, 400, 0},
      {"ChunkedAndLength",
       post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n") + kNext, 400, 0},
      {"TwoLengths", post("Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!"), 400, 0},
      {"TwoEqualLengths", post("Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"), 400, 0},
      {"LengthList", post("Content-Length: 2, 2\r\n\r\nhi"), 400, 0},
      {"LengthWithSign", post("Content-Length: +2\r\n\r\nhi"), 400, 0},
      {"NegativeLength", post("Content-Length: -2\r\n\r\nhi"), 400, 0},
      {"HexLength", post("Content-Length: 0x2\r\n\r\nhi"), 400, 0},
      {"LengthWithBlankInside", post("Content-Length: 1 2\r\n\r\nhi"), 400, 0},
      {"EmptyLength", post("Content-Length: \r\n\r\n") + kNext, 400, 0},
      {"LengthOverflow", post("Content-Length: 99999999999999999999999\r\n\r\n"), 400, 0},
      {"BlankBeforeColon", post("Content-Length : 2\r\n\r\nhi"), 400, 0},
      {"UnknownEncoding", post("Transfer-Encoding: gzip\r\n\r\n"), 501, 0},
      {"EncodingThatEndsLikeChunked", post("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n") + kNext,
       501, 0},
      {"ChunkedNotLast", post("Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 400, 0},
      {"IdentityThenChunked", post("Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n"), 501,
       0},
      {"TwoEncodings",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, 0},
      {"EncodingWithVerticalTab", post("Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n") + kNext,
       400, 0},
      {"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 0},
      {"BadChunkSize", post("Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n"), 400, 0},
      {"HexPrefixChunkSize", post("Transfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n"), 400,
       0},
      {"ChunkSizeOverflow", post("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhi\r\n"),
       400, 0},
      {"ChunkLongerThanSaid", post("Transfer-Encoding: chunked\r\n\r\n1\r\nhi\r\n0\r\n\r\n"), 400,
       0},
      {"ChunkEndsInLfAlone", post("Transfer-Encoding: chunked\r\n\r\n2\nhi\n0\n\n"), 400, 0},
      {"CrAloneEndsHeader", get("X: y\rTransfer-Encoding: chunked\r\n"), 400, 0},
      {"CrAloneBeforeHeader", get("X:\rTransfer-Encoding: chunked\r\n"), 400, 0},
      {"LfAlone", "GET / HTTP/1.1\nHost: a\n\n", 400, 0},
      {"LfAloneInHeaders", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400, 0},
      {"LfAloneAtTheEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, 0},
      {"NulInHeader", get(std::string("X: a\0b\r\n", 8)), 400, 0},
      {"NulInTarget", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), 400, 0},
      {"FoldedHeader", get("X: a\r\n b\r\n"), 400, 0},
      {"FoldedWithTab", get("X: a\r\n\tTransfer-Encoding: chunked\r\n"), 400, 0},
      {"FirstHeaderFolded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, 0},
      {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400, 0},
      {"TwoHosts", get("Host: b\r\n"), 400, 0},
      {"TwoHostsInHttp10", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, 0},
      {"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, 0},
      {"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, 0},
      {"HeaderWithoutName", get(": x\r\n"), 400, 0},
      {"FirstHeaderWithoutName", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400, 0},
      {"HeaderWithoutColon", get("nonsense\r\n"), 400, 0},
      {"BlankInHeaderName", get("X Y: z\r\n"), 400, 0},
      {"Http2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, 0},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 0},
      {"Http09", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, 0},
      {"FutureVersion", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, 0},
      {"NoVersion", "GET /\r\n\r\n", 505, 0},
      {"UnknownMethod", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n", 501, 0},
      {"LowerCaseMethod", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, 0},
      {"Connect", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, 405, 0},
      {"Trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, 0},
      {"UnknownExpectation", post("Expect: 200-ok\r\nContent-Length: 0\r\n\r\n"), 417, 0},
      {"BadAuthorization", get("Authorization: Basic !!!\r\n"), 400, 0},
      {"TwoAuthorizations", get("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400, 0},
      {"Garbage", "\x16\x03\x01\x02\x00\x01", 400, 0},
      {"FirstOfTwoFaultsIsTold", "FROB / HTTP/1.1\r\2Host: a\r\n\r\n", 501, 0},
      {"FaultComesAfterTheFirst", get("") + "GET / HTTP/1.1\r\n\r\n", 400, 1},
  };
  return kCases;
}

class HttpTable : public testing::TestWithParam<Case> {};

TEST_P(HttpTable, IsTheSameAtEveryChunkSize) {
  const Case& c = GetParam();
  for (std::size_t piece = 1; piece <= c.wire.size(); ++piece) {
    const Parsed parsed = parse(c.wire, piece);
    ASSERT_EQ(parsed.fault, c.fault) << "in pieces of " << piece;
    ASSERT_EQ(parsed.requests.size(), c.requests) << "in pieces of " << piece;
  }
}

TEST_P(HttpTable, IsTheSameSplitAtEveryByte) {
  const Case& c = GetParam();
  for (std::size_t at = 0; at <= c.wire.size(); ++at) {
    HttpParser parser{HttpLimits{}};
    std::size_t requests = 0;
    for (std::string_view part :
         {std::string_view(c.wire).substr(0, at), std::string_view(c.wire).substr(at)}) {
      while (!part.empty() && !parser.fault()) {
        part.remove_prefix(parser.feed(part));
        if (!parser.complete()) continue;
        (void)parser.take();
        ++requests;
      }
    }
    ASSERT_EQ(parser.fault() ? parser.fault()->status : 0, c.fault) << "split at " << at;
    ASSERT_EQ(requests, c.requests) << "split at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Requests, HttpTable, testing::ValuesIn(cases()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(HttpParser, GivesTheWholeRequest) {
  const std::string wire = post("X-Y:  z \t\r\nContent-Length: 5\r\n\r\nhello");
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    const Parsed parsed = parse(wire, piece);
    ASSERT_EQ(parsed.requests.size(), 1U);
    const Message& m = parsed.requests[0];
    EXPECT_EQ(m.kind, Message::Kind::request);
    EXPECT_EQ(m.method, "POST");
    EXPECT_EQ(m.target, "/");
    EXPECT_EQ(m.body, "hello");
    ASSERT_NE(m.header("x-y"), nullptr);
    EXPECT_EQ(*m.header("x-y"), "z");
    EXPECT_FALSE(m.credentials);
    EXPECT_FALSE(parsed.started);
  }
}

TEST(HttpParser, ChunksArePutTogether) {
  const Parsed parsed =
      parse(post("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"), 7);
  ASSERT_EQ(parsed.requests.size(), 1U);
  EXPECT_EQ(parsed.requests[0].body, "abc0123456789");
}

TEST(HttpParser, AbsoluteTargetBecomesAPath) {
  const Parsed parsed = parse("GET http://a:80/x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n", 100);
  ASSERT_EQ(parsed.requests.size(), 1U);
  EXPECT_EQ(parsed.requests[0].target, "/x?y=1");
}

TEST(HttpParser, EmptyHeaderValueDoesNotShiftTheNext) {
  const Parsed parsed = parse(get("A:\r\nB: c\r\n"), 1);
  ASSERT_EQ(parsed.requests.size(), 1U);
  EXPECT_EQ(*parsed.requests[0].header("A"), "");
  EXPECT_EQ(*parsed.requests[0].header("B"), "c");
}

TEST(HttpParser, AuthorizationBecomesCredentialsAndLeavesTheHeaders) {
  const Parsed parsed = parse(get("Authorization: Basic dXNlcjpwYTpzcw==\r\n"), 3);
  ASSERT_EQ(parsed.requests.size(), 1U);
  const Message& m = parsed.requests[0];
  ASSERT_TRUE(m.credentials);
  EXPECT_EQ(m.credentials->user, "user");
  EXPECT_EQ(m.credentials->secret.reveal(), "pa:ss");
  EXPECT_EQ(m.header("Authorization"), nullptr);
}

TEST(HttpParser, OverlongRequestLineIs414) {
  HttpLimits limits;
  limits.url = 100;
  EXPECT_EQ(parse("GET /" + std::string(200, 'a'), 7, limits).fault, 414);
  EXPECT_EQ(parse("GET /" + std::string(60, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 7, limits).fault,
            0);
}

TEST(HttpParser, OverlongHeadIs431) {
  HttpLimits limits;
  limits.head = 1000;
  EXPECT_EQ(parse(get("X: " + std::string(1000, 'a') + "\r\n"), 11, limits).fault, 431);
  EXPECT_EQ(parse(get("X: " + std::string(900, 'a') + "\r\n"), 11, limits).fault, 0);
}

TEST(HttpParser, TooManyHeadersAre431) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  EXPECT_EQ(parse(get(many), 1000).fault, 431);
}

TEST(HttpParser, EmptyLinesForEverAreRefused) {
  std::string lines;
  for (int i = 0; i < 50'000; ++i) lines += "\r\n";
  EXPECT_NE(parse(lines, 1000).fault, 0);
}

TEST(HttpParser, BodyThatIsAnnouncedTooLongIs413BeforeItComes) {
  HttpLimits limits;
  limits.body = 10;
  EXPECT_EQ(parse(post("Content-Length: 11\r\n\r\n"), 100, limits).fault, 413);
  EXPECT_EQ(parse(post("Content-Length: 10\r\n\r\n0123456789"), 100, limits).requests.size(), 1U);
}

TEST(HttpParser, ChunkedBodyThatGrowsTooLongIs413) {
  HttpLimits limits;
  limits.body = 10;
  const std::string head = post("Transfer-Encoding: chunked\r\n\r\n");
  for (std::size_t piece : {1U, 3U, 100U}) {
    EXPECT_EQ(parse(head + "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n", piece, limits).fault,
              413);
  }
}

TEST(HttpParser, EndlessChunkExtensionIsRefused) {
  const std::string wire = post("Transfer-Encoding: chunked\r\n\r\n1;") + std::string(3 << 20, 'a');
  EXPECT_EQ(parse(wire, 64 * 1024).fault, 413);
}

TEST(HttpParser, ExpectContinueIsToldBetweenHeadAndBody) {
  HttpParser parser{HttpLimits{}};
  parser.feed(post("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_TRUE(parser.head_complete());
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_FALSE(parser.complete());
  parser.feed("hi");
  EXPECT_TRUE(parser.complete());
  (void)parser.take();
  EXPECT_FALSE(parser.expects_continue());
}

TEST(HttpParser, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](const std::string& wire) {
    HttpParser parser{HttpLimits{}};
    parser.feed(wire);
    EXPECT_TRUE(parser.complete()) << wire;
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps(get("")));
  EXPECT_FALSE(keeps(get("Connection: close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

}  // namespace
}  // namespace checkrelay
