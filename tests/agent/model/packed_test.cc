#include "agent/model/packed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace checkrelay {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(GOLDEN_DIR) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

CheckResult smallest() {
  CheckResult r;
  r.id = "1";
  r.subject.host = "h";
  return r;
}

CheckResult full() {
  CheckResult r;
  r.id = "0195a1b2-0000-7000-8000-000000000001";
  r.subject = {"db1", "Backup grün"};
  r.state = 2;
  r.output = "failed\nat step 3";
  r.perfdata = "'t'=1.5s;2;3";
  r.time = Wall(Duration(1767608100250000));
  r.received = Wall(Duration(1767608101000001));
  r.ttl = std::chrono::hours(26);
  r.check_source = "cron";
  return r;
}

// These bytes are on disks: they change only with a new version number.
TEST(Packed, TheSmallestResultsBytesAreGolden) {
  EXPECT_EQ(hex(pack(smallest())), "9b01a131a168a000a0a0000000a0");
  EXPECT_EQ(pack(smallest()), golden("v1-smallest.bin"));
}

TEST(Packed, AFullResultsBytesAreGolden) {
  EXPECT_EQ(
      hex(pack(full())),
      "9b01d92430313935613162322d303030302d373030302d383030302d303030303030303030303031a3646231"
      "ac4261636b7570206772c3bc6e02b06661696c65640a617420737465702033ac2774273d312e35733b323b33"
      "cf000647a154eae190cf000647a154f65341cf00000015cafea800a463726f6e");
  EXPECT_EQ(pack(full()), golden("v1-full.bin"));
}

TEST(Packed, GoldenBytesAreReadBack) {
  EXPECT_EQ(unpack(golden("v1-smallest.bin")).value(), smallest());
  EXPECT_EQ(unpack(golden("v1-full.bin")).value(), full());
}

TEST(Packed, EveryResultReadsBackTheSame) {
  constexpr unsigned kSeed = 11;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  auto text = [&](std::size_t most) {
    std::string s(random() % most, '\0');
    for (char& c : s) c = static_cast<char>(random());
    return s;
  };
  for (int i = 0; i < 500; ++i) {
    CheckResult r;
    r.subject = {text(256), text(256)};
    r.state = static_cast<State>(random() % 4);
    r.output = text(i % 10 == 0 ? 100'000 : 300);
    r.perfdata = text(300);
    r.time = Wall(Duration(static_cast<std::int64_t>(random() >> (1 + random() % 60))));
    r.received = Wall(Duration(static_cast<std::int64_t>(random() >> (1 + random() % 60))));
    r.id = text(65);
    r.ttl = Duration(static_cast<std::int64_t>(random() >> (1 + random() % 60)));
    r.check_source = text(256);
    ASSERT_EQ(unpack(pack(r)).value(), r);
  }
}

}  // namespace
}  // namespace checkrelay
