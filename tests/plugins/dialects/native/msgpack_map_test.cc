#include "plugins/dialects/native/msgpack_map.h"

#include <gtest/gtest.h>

#include <msgpack.hpp>

namespace checkrelay::native {
namespace {

using Found = MsgpackBoundary::Found;
using namespace std::string_literals;

template <typename... T>
std::string map_of(const T&... values) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> pack(buffer);
  pack.pack_map(sizeof...(values) / 2);
  (pack.pack(values), ...);
  return {buffer.data(), buffer.size()};
}

Found scan(std::string_view bytes, std::size_t max = 64 * 1024) {
  return MsgpackBoundary(max).scan(bytes);
}

Result<CheckResult> decoded(std::string_view bytes) {
  std::size_t mended = 0;
  return decode_msgpack(bytes, mended);
}

TEST(MsgpackBoundary, FindsTheEndOfEveryKindOfValue) {
  const std::string values[] = {"\x05"s,
                                "\xe0"s,
                                "\xc0"s,
                                "\xcc\x01"s,
                                "\xcd\x01\x02"s,
                                "\xce\x01\x02\x03\x04"s,
                                "\xcf\x01\x02\x03\x04\x05\x06\x07\x08"s,
                                "\xca\x01\x02\x03\x04"s,
                                "\xa2hi"s,
                                "\xd9\x02hi"s,
                                "\xda\0\x02hi"s,
                                "\xdb\0\0\0\x02hi"s,
                                "\xc4\x01x"s,
                                "\xc7\x01\x05x"s,
                                "\xd4\x05x"s,
                                "\xd8\x05"s + std::string(16, 'x'),
                                "\x92\x01\x81\x01\x02"s,
                                "\xdc\0\x01\x01"s,
                                "\x80"s,
                                "\xde\0\x01\x01\x90"s,
                                "\xdf\0\0\0\x01\x01\x02"s};
  for (const std::string& value : values) {
    MsgpackBoundary boundary(1024);
    for (std::size_t n = 0; n < value.size(); ++n)
      EXPECT_EQ(boundary.scan(std::string_view(value).substr(0, n)), Found::more);
    EXPECT_EQ(boundary.scan(value + "rest"), Found::whole);
    EXPECT_EQ(boundary.size(), value.size());
  }
}

TEST(MsgpackBoundary, ClaimsBeyondTheLimitAreSeenAtTheirHeader) {
  for (const auto& claim :
       {"\xdf\xff\xff\xff\xff"s, "\xdd\xff\xff\xff\xff"s, "\xdb\xff\xff\xff\xff"s,
        "\xc6\xff\xff\xff\xff"s, "\xc9\xff\xff\xff\xff"s, "\x81\xdb\0\x10\0\0"s})
    EXPECT_EQ(scan(claim), Found::too_long);
}

TEST(MsgpackBoundary, DeepNestingIsRefused) {
  EXPECT_EQ(scan(std::string(2'000, '\x91')), Found::broken);
  EXPECT_EQ(scan(std::string(15, '\x91') + "\x01"), Found::whole);
}

TEST(MsgpackBoundary, TheByteThatIsNeverUsedIsRefused) {
  EXPECT_EQ(scan("\xc1"), Found::broken);
  EXPECT_EQ(scan("\x81\xa1x\xc1"), Found::broken);
}

TEST(MsgpackMap, ReadsEveryKey) {
  auto r = decoded(map_of("host"s, "h"s, "service"s, "s"s, "state"s, 2, "output"s, "bad|x=1"s,
                          "time"s, 1700000000.5, "id"s, "i"s, "ttl"s, 60, "check_source"s, "c"s));
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_EQ(r->subject, (Subject{"h", "s"}));
  EXPECT_EQ(r->state, 2);
  EXPECT_EQ(r->output, "bad");
  EXPECT_EQ(r->perfdata, "x=1");
  EXPECT_EQ(epoch_seconds(r->time), 1700000000.5);
  EXPECT_EQ(r->ttl, std::chrono::minutes(1));
}

TEST(MsgpackMap, ReadsAStart) {
  auto r = decoded(map_of("host"s, "h"s, "service"s, "s"s, "id"s, "run-1"s, "start"s, true));
  ASSERT_TRUE(r) << r.error().what;
  EXPECT_TRUE(r->start);
  EXPECT_EQ(r->id, "run-1");
  EXPECT_EQ(decoded(map_of("id"s, "i"s, "state"s, 0, "start"s, true)).error().what,
            "state: a start has none");
  EXPECT_FALSE(decoded(map_of("host"s, "h"s, "state"s, 0, "start"s, false))->start);
}

TEST(MsgpackMap, NamesWhatItRefuses) {
  EXPECT_EQ(decoded(map_of("host"s, "h"s, "state"s, 7)).error().what, "state: \"7\" is not 0-2");
  EXPECT_EQ(decoded(map_of("host"s, "h"s, "x"s, 7)).error().what,
            "\"x\" is not a key of a check result");
  EXPECT_EQ(decoded(map_of("state"s, 0, "state"s, 0)).error().what, "state: given twice");
  EXPECT_EQ(decoded(map_of(1, 2)).error().what, "a key is not a string: 1");
  EXPECT_EQ(decoded(map_of("host"s, std::vector<int>{1})).error().what,
            "host: a list is not a string");
  EXPECT_EQ(decoded("\x05").error().what, "not a map: 5");
}

TEST(MsgpackMap, InvalidUtf8InOutputIsReplacedAndCounted) {
  std::size_t mended = 0;
  auto r = decode_msgpack(map_of("host"s, "h"s, "state"s, 0, "output"s, "caf\xE9"s), mended);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->output, "caf\xEF\xBF\xBD");
  EXPECT_EQ(mended, 1U);
}

}  // namespace
}  // namespace checkrelay::native
