#include "agent/config/value.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

TEST(Listen, TellsLoopbackFromTheRest) {
  for (const char* text : {"127.0.0.1:80", "127.3.2.1:0", "[::1]:8440", "localhost:1"}) {
    auto listen = parse_listen(text);
    ASSERT_TRUE(listen) << text;
    EXPECT_TRUE(listen->loopback) << text;
  }
  for (const char* text : {":80", "0.0.0.0:80", "[::]:80", "10.0.0.1:80", "127.evil.org:80"}) {
    auto listen = parse_listen(text);
    ASSERT_TRUE(listen) << text;
    EXPECT_FALSE(listen->loopback) << text;
  }
}

TEST(Listen, RefusesWhatIsNoAddressAndPort) {
  for (const char* text : {"", "80", "localhost", "::1:80", "a:65536", "a:-1", "a:80x", "a:"}) {
    EXPECT_FALSE(parse_listen(text)) << text;
  }
}

TEST(Value, FallbackOfEachKindIsReadAsWritten) {
  auto read = [](OptionKind kind, std::string_view text) {
    return read_value(OptionRow{.kind = kind, .choices = "a|b"}, text).value();
  };
  EXPECT_EQ(std::get<bool>(read(OptionKind::boolean, "true")), true);
  EXPECT_EQ(std::get<long long>(read(OptionKind::integer, "7")), 7);
  EXPECT_EQ(std::get<long long>(read(OptionKind::size, "2KiB")), 2048);
  EXPECT_EQ(std::get<long long>(read(OptionKind::mode, "0640")), 0640);
  EXPECT_EQ(std::get<double>(read(OptionKind::number, "0.5")), 0.5);
  EXPECT_EQ(std::get<Duration>(read(OptionKind::duration, "90s")), std::chrono::seconds(90));
  EXPECT_EQ(std::get<std::string>(read(OptionKind::choice, "b")), "b");
  EXPECT_EQ(std::get<std::vector<std::string>>(read(OptionKind::list, "a, b")),
            (std::vector<std::string>{"a", "b"}));
}

TEST(Value, UrlIsAServersRoot) {
  OptionRow row{.kind = OptionKind::url};
  for (const char* good : {"http://a", "https://a:8443/x/y/", "https://[::1]:443"}) {
    EXPECT_TRUE(read_value(row, good)) << good;
  }
  for (const char* bad : {"", "ftp://a", "https://", "https:///x", "https://:80", "https://u@a",
                          "https://a/?q", "https://a/#f", "https://a b", "https://a\n"}) {
    EXPECT_FALSE(read_value(row, bad)) << bad;
  }
}

}  // namespace
}  // namespace checkrelay
