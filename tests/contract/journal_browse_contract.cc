// How operators look at what waits, in every journal.
#include <fmt/format.h>

#include "tests/contract/journal_contract.h"

namespace checkrelay {

using namespace std::chrono_literals;
using What = BrowseQuery::What;

TEST_P(JournalContract, BrowsingPagesThroughWhatWaits) {
  rig_.lane("a");
  std::vector<Record> records;
  for (int i = 0; i < 25; ++i)
    records.push_back(rig_.record("s" + std::to_string(i), std::to_string(i)));
  ASSERT_TRUE(rig_.stage(records));
  BrowseQuery query;
  query.limit = 10;
  std::vector<std::string> seen;
  for (bool more = true; more;) {
    auto page = rig_.browse(query);
    for (const Browsed& row : page.rows) seen.push_back(row.body);
    more = page.more;
    if (!page.rows.empty()) query.after = page.rows.back().seq;
  }
  ASSERT_EQ(seen.size(), 25U);
  EXPECT_EQ(seen.back(), "24");
}

TEST_P(JournalContract, APageEndsEarlyWhereMuchDoesNotMatch) {
  rig_.lane("a");
  constexpr int kRecords = 40'000;
  std::vector<Record> records;
  for (int i = 0; i < kRecords; ++i) {
    records.push_back(rig_.record("s", std::to_string(i)));
    records.back().id_given = false;
  }
  ASSERT_TRUE(rig_.stage(records));
  BrowseQuery query;
  query.match = [](const std::string& body) { return body == "39999"; };
  auto page = rig_.browse(query);
  EXPECT_TRUE(page.rows.empty());
  ASSERT_TRUE(page.more);
  ASSERT_GT(page.next, 1000U);
  while (page.more) {
    ASSERT_GT(page.next, query.after);
    query.after = page.next;
    page = rig_.browse(query);
  }
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].seq, 40'000U);
}

TEST_P(JournalContract, AnIdThatWasMadeWithItsTimeIsFoundAtOnce) {
  rig_.lane("a");
  const auto id_of = [](Wall t) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch());
    const auto digits = fmt::format("{:012x}", ms.count());
    return digits.substr(0, 8) + "-" + digits.substr(8) + "-7abc-8def-0123456789ab";
  };
  std::string wanted;
  for (int i = 0; i < 9; ++i) {
    std::vector<Record> records;
    for (int k = 0; k < 8000; ++k) {
      records.push_back(rig_.record("s", std::to_string(i)));
      records.back().id_given = false;
    }
    records[50].id = id_of(rig_.now().wall);
    if (i == 7) wanted = records[50].id;
    ASSERT_TRUE(rig_.stage(records));
    rig_.advance(1s);
  }
  BrowseQuery query;
  query.what = What::any;
  query.id = wanted;
  query.known_place = true;
  auto page = rig_.browse(query);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].body, "7");
  query.id = id_of(rig_.now().wall + 1h);
  page = rig_.browse(query);
  EXPECT_TRUE(page.rows.empty());
  EXPECT_FALSE(page.more);
}

TEST_P(JournalContract, WhatIsDroppedTellsWhy) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  EXPECT_EQ(rig_.drop({seq}, std::nullopt, "exported"), 1U);
  BrowseQuery query;
  query.what = What::any;
  query.seq = seq;
  const auto page = rig_.browse(query);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].what, "expired");
  EXPECT_EQ(page.rows[0].story.back().what, "dropped");
  EXPECT_EQ(page.rows[0].answer, "exported");
}

TEST_P(JournalContract, BrowsingMatchesBodies) {
  rig_.lane("a");
  rig_.put("s", "apple");
  rig_.put("t", "pear");
  BrowseQuery query;
  query.match = [](const std::string& body) { return body == "pear"; };
  const auto page = rig_.browse(query);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].body, "pear");
  EXPECT_EQ(page.rows[0].what, "pending");
}

}  // namespace checkrelay
