#include "agent/flow/export_page.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

TEST(ExportPage, GoesThroughOnceARecord) {
  BrowsePage page;
  for (Seq seq : {3U, 3U, 8U}) {
    page.rows.emplace_back().seq = seq;
    page.rows.back().body = "body" + std::to_string(seq);
  }
  page.more = true;
  page.next = 8;
  auto read = decode_export(encode_export(page));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->parcels.size(), 2U);
  EXPECT_EQ(read->parcels[1].seq, 8U);
  EXPECT_EQ(read->parcels[1].body, "body8");
  EXPECT_TRUE(read->more);
  EXPECT_EQ(read->next, 8U);
}

TEST(ExportPage, BytesThatAreNoneAreRefused) {
  BrowsePage page;
  page.rows.emplace_back().seq = 1;
  page.rows.back().body = "body";
  const std::string whole = encode_export(page);
  for (std::size_t n : {0UL, 7UL, 9UL, 23UL, whole.size() - 1})
    EXPECT_FALSE(decode_export(whole.substr(0, n))) << n;
  EXPECT_FALSE(decode_export(std::string(24, '\xff')));
}

TEST(Seqs, AreNumbersAndRanges) {
  auto seqs = parse_seqs("7\n\n 9-11 \n3\n");
  ASSERT_TRUE(seqs);
  EXPECT_EQ(*seqs, (std::vector<Seq>{7, 9, 10, 11, 3}));
  EXPECT_TRUE(parse_seqs("")->empty());
}

TEST(Seqs, AreBounded) {
  EXPECT_EQ(parse_seqs("9223372036854775807")->size(), 1U);
  EXPECT_EQ(parse_seqs("1-1000")->size(), 1000U);
  for (std::string bad :
       {"1-1001", "1-9223372036854775807", "1-600\n1-600", "0", "-1", "5-4", "x", "1-2-3"})
    EXPECT_FALSE(parse_seqs(bad)) << bad;
}

}  // namespace
}  // namespace checkrelay
