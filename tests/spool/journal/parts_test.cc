// The small pure parts: checksums, frames, the trail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spool/bytes.h"
#include "spool/crc32c.h"
#include "spool/frame.h"
#include "spool/trail.h"

namespace checkrelay {
namespace {

Record sample(const std::string& body) {
  Record r;
  r.id = "one";
  r.id_given = true;
  r.state = 2;
  r.time = Wall(Duration(1'700'000'000'000'000));
  r.received = r.time + Duration(5);
  r.lanes = 5;
  r.body = body;
  return r;
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

TEST(Crc32c, AgreesWithTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

TEST(Crc32c, InstructionAndTableAgreeAtEveryLength) {
  std::string bytes;
  for (int n = 0; n < 100; ++n) {
    EXPECT_EQ(crc32c(bytes), crc32c_portable(bytes)) << n;
    bytes.push_back(static_cast<char>(n * 37));
  }
}

TEST(Frame, BytesAreThoseOfTheDocument) {
  std::string bytes;
  append_frame(bytes, 7, 0x0807060504030201, sample("hi"));
  EXPECT_EQ(hex(bytes),
            "1a"                // 26 bytes of payload
            "a12a79fb"          // checksum of the number and the payload
            "0102"              // id given, state 2
            "05"                // lanes 0 and 2
            "0102030405060708"  // subject
            "8080f28183898506"  // time
            "0a"                // received 5 us later
            "036f6e65"          // id
            "6869");            // body
  EXPECT_EQ(Batch(7, 7, bytes).records().size(), 1U);
  EXPECT_EQ(Batch(8, 8, bytes).records().size(), 0U) << "the number is part of the checksum";
}

TEST(Frame, WhatWasWrittenIsRead) {
  std::string bytes;
  append_frame(bytes, 7, 42, sample("seven"));
  append_frame(bytes, 8, 43, sample(""));
  const Batch batch(7, 8, bytes);
  ASSERT_EQ(batch.records().size(), 2U);
  const Framed& f = *batch.find(7);
  EXPECT_EQ(f.body, "seven");
  EXPECT_EQ(f.id, "one");
  EXPECT_TRUE(f.id_given);
  EXPECT_EQ(f.header.subject, 42U);
  EXPECT_EQ(f.header.lanes, 5U);
  EXPECT_EQ(f.header.received - f.header.time, Duration(5));
  EXPECT_EQ(Batch(7, 7, std::string(f.frame)).records().front().body, "seven");
  EXPECT_EQ(batch.find(9), nullptr);
}

TEST(Frame, AFlippedBitLosesOneRecordAlone) {
  std::string bytes;
  for (Seq s = 1; s <= 3; ++s) append_frame(bytes, s, s, sample("body"));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const Batch batch(1, 3, bytes);
  EXPECT_EQ(batch.damaged(), 1U);
  EXPECT_EQ(batch.find(2), nullptr);
  EXPECT_NE(batch.find(3), nullptr);
}

TEST(Frame, ReadsNothingFromAnyPrefixThatIsNotWhole) {
  std::string bytes;
  append_frame(bytes, 1, 1, sample("body"));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_TRUE(Batch(1, 1, bytes.substr(0, n)).records().empty()) << n;
}

// A frame around any payload, whose checksum fits.
std::string sealed_frame(Seq seq, const std::string& payload) {
  std::string number;
  put_fixed(number, seq, 8);
  std::string out;
  put_varint(out, payload.size());
  put_fixed(out, crc32c(payload, crc32c(number)), 4);
  return out + payload;
}

TEST(Frame, TimeBeyondTheClockIsDamage) {
  for (const std::int64_t time : {INT64_MAX, INT64_MIN}) {
    std::string payload(2, '\0');  // flags, state
    put_varint(payload, 1);        // lanes
    put_fixed(payload, 42, 8);
    put_signed(payload, time);
    put_signed(payload, time);  // received, as a distance
    payload += '\0';            // id
    EXPECT_EQ(Batch(1, 1, sealed_frame(1, payload)).damaged(), 1U) << time;
  }
}

TEST(Bytes, SignedNumbersSurvive) {
  std::string bytes;
  const std::int64_t values[] = {0, -1, 1, 63, -64, 64, INT64_MAX, INT64_MIN};
  for (auto v : values) put_signed(bytes, v);
  ByteReader in(bytes);
  for (auto v : values) EXPECT_EQ(in.signed_varint(), v);
  EXPECT_TRUE(in.ok());
}

TEST(Bytes, AnEndlessNumberIsAFault) {
  ByteReader in(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
  EXPECT_EQ(in.varint(), 0U);
  EXPECT_FALSE(in.ok());
}

TEST(Trail, WhatWasWrittenIsRead) {
  TrailWriter writer(3);
  const Wall at(Duration(1'700'000'000'000'000));
  writer.add({10, 1, Fate::later, at, "wait"});
  writer.add({9, 2, Fate::delivered, at + Duration(2000), "wait"});
  writer.add({9, 2, Fate::expired, at, ""});
  const TrailRow row = writer.sealed();
  EXPECT_EQ(row.number, 3U);
  EXPECT_EQ(row.low, 9U);
  EXPECT_EQ(row.high, 10U);
  const auto entries = read_trail(row.data);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[1].answer, "wait");
  EXPECT_EQ(entries[1].at, at + Duration(2000));
  EXPECT_EQ(entries[2].fate, Fate::expired);
  EXPECT_EQ(entries[2].answer, "");
}

TEST(Trail, ADamagedRowTellsNothing) {
  TrailWriter writer;
  writer.add({1, 0, Fate::delivered, {}, "x"});
  std::string data = writer.sealed().data;
  data.back() = static_cast<char>(data.back() ^ 4);
  EXPECT_TRUE(read_trail(data).empty());
}

TEST(Trail, TimeBeyondTheClockEndsTheRow) {
  std::string entries;
  for (const std::int64_t at : {std::int64_t{5}, INT64_MAX / 2, INT64_MAX}) {
    put_signed(entries, 1);
    put_fixed(entries, 1, 2);  // note, lane
    put_signed(entries, at);
    put_varint(entries, 0);
  }
  std::string row;
  put_fixed(row, crc32c(entries), 4);
  const auto read = read_trail(row + entries);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].at, Wall(std::chrono::milliseconds(5)));
}

}  // namespace
}  // namespace checkrelay
