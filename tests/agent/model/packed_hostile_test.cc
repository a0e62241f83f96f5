#include <gtest/gtest.h>

#include <random>
#include <string>

#include "agent/model/packed.h"

namespace checkrelay {
namespace {

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (int b : list) out += static_cast<char>(b);
  return out;
}

std::string sample() {
  CheckResult r;
  r.id = "id-1";
  r.subject = {"host", "service"};
  r.output = "output";
  r.check_source = "me";
  return pack(r);
}

void expect_corrupt(const std::string& packed) {
  auto r = unpack(packed);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, Errc::corrupt) << r.error().what;
  EXPECT_FALSE(r.error().what.empty());
}

TEST(PackedHostile, NothingIsCorrupt) { expect_corrupt(""); }

TEST(PackedHostile, EveryCutIsCorrupt) {
  std::string whole = sample();
  for (std::size_t n = 0; n < whole.size(); ++n) expect_corrupt(whole.substr(0, n));
}

TEST(PackedHostile, BytesBehindTheEndAreCorrupt) {
  expect_corrupt(sample() + '\0');
  expect_corrupt(sample() + sample());
}

TEST(PackedHostile, ANewerVersionIsUnsupported) {
  std::string packed = sample();
  packed[1] = 2;
  EXPECT_EQ(unpack(packed).error().code, Errc::unsupported);
  EXPECT_EQ(unpack(bytes({0x91, 0x7f})).error().code, Errc::unsupported);
}

TEST(PackedHostile, VersionsThatNeverWereAreCorrupt) {
  for (int version : {0x00, 0xff /* -1 */, 0xe0 /* -32 */, 0xc0 /* nil */, 0xc3 /* true */}) {
    std::string packed = sample();
    packed[1] = static_cast<char>(version);
    expect_corrupt(packed);
  }
}

TEST(PackedHostile, OtherTypesAreCorrupt) {
  for (int number : {0x01, 0x02, 0x7f, 0xff}) expect_corrupt(bytes({number}));
  expect_corrupt(bytes({0xcd, 1, 0}));
  expect_corrupt(bytes({0xc0}));
  expect_corrupt(bytes({0xc1}));
  expect_corrupt(bytes({0xa1, 'x'}));
  expect_corrupt(bytes({0x80}));
  expect_corrupt(bytes({0x90}));
  expect_corrupt(bytes({0x91, 0x01}));
  expect_corrupt(bytes({0x9b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

// Each would take gigabytes or a deep stack where a claim were believed.
TEST(PackedHostile, ClaimsOfEnormousSizesAreRefusedInBoundedMemory) {
  expect_corrupt(bytes({0xdd, 0xff, 0xff, 0xff, 0xff}));              // array of 2^32 - 1
  expect_corrupt(bytes({0xdf, 0xff, 0xff, 0xff, 0xff}));              // map
  expect_corrupt(bytes({0x9b, 1, 0xdb, 0xff, 0xff, 0xff, 0xff}));     // text
  expect_corrupt(bytes({0x9b, 1, 0xc6, 0xff, 0xff, 0xff, 0xff}));     // binary
  expect_corrupt(bytes({0x9b, 1, 0xc9, 0xff, 0xff, 0xff, 0xff, 1}));  // extension
  expect_corrupt(bytes({0x9b, 1, 0xdd, 0x00, 0xff, 0xff, 0xff}));
}

TEST(PackedHostile, DeepNestingIsRefused) { expect_corrupt(std::string(1'000'000, '\x91')); }

TEST(PackedHostile, WhatIsNoPlainValueIsCorruptBehindTheFieldsToo) {
  for (const char* container : {"\x91\x01", "\x81\x01\x01"}) {
    std::string packed = sample();
    packed[0] = '\x9c';
    expect_corrupt(packed + container);
  }
}

TEST(PackedHostile, FieldsThatALaterMinorWriterAddedArePassedOver) {
  std::string packed = sample();
  packed[0] = '\x9e';
  EXPECT_EQ(unpack(packed + "\xc0\xa1x\x07").value().id, "id-1");
}

TEST(PackedHostile, TheReasonIsTold) {
  EXPECT_EQ(unpack(bytes({0x02})).error().what, "packed result: no array");
  EXPECT_EQ(unpack(bytes({0x9b, 1, 0xc1})).error().what,
            "packed result: a byte that begins no value");
  EXPECT_EQ(unpack(bytes({0x9b, 1})).error().what, "packed result: it is cut short");
}

TEST(PackedHostile, TheFieldOfAnotherKindIsNamed) {
  std::string packed = sample();
  packed[2] = '\xc0';
  EXPECT_EQ(unpack(packed).error().what, "packed result: field 2 is of another kind");
}

TEST(PackedHostile, NumbersOutOfRangeAreCorrupt) {
  std::string packed = sample();
  std::size_t state = packed.find("service") + 7;
  packed[state] = '\xff';  // -1
  expect_corrupt(packed);
}

TEST(PackedHostile, NoFlippedByteDoesHarm) {
  constexpr unsigned kSeed = 3;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::string whole = sample();
  for (int i = 0; i < 50'000; ++i) {
    std::string packed = whole;
    for (unsigned n = 1 + random() % 4; n > 0; --n)
      packed[random() % packed.size()] = static_cast<char>(random());
    if (auto r = unpack(packed); !r) {
      ASSERT_TRUE(r.error().code == Errc::corrupt || r.error().code == Errc::unsupported);
    }
  }
}

}  // namespace
}  // namespace checkrelay
