#include "agent/model/packed_outages.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

std::vector<KeptOutages> some() {
  PlannedOutage once;
  once.id = "7";
  once.change_id = "CHG-7";
  once.description = "swap\nit \xc3\xa5";
  once.start = "1772402400";
  once.end = "1772416800";
  once.nodes = {"sw1", "sw2"};
  once.elements = {{"sw1", "regex:^Vlan"}, {"sw2", ""}};
  PlannedOutage weekly;
  weekly.id = "8";
  weekly.frequency = "weekly";
  weekly.start = "Fri 22:00";
  weekly.end = "Mon 06:00";
  const Wall fetched(std::chrono::microseconds(1'772'402'400'123'456));
  return {{"nmis", "opmantek", fetched, {once, weekly}}, {"empty", "opmantek", Wall{}, {}}};
}

TEST(PackedOutages, WhatIsPackedComesBack) {
  EXPECT_EQ(unpack_outages(pack_outages(some())).value(), some());
  EXPECT_TRUE(unpack_outages(pack_outages({})).value().empty());
}

TEST(PackedOutages, EveryDamagedByteAndEveryCutIsTold) {
  const std::string good = pack_outages(some());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    EXPECT_FALSE(unpack_outages(bad)) << i;
    EXPECT_FALSE(unpack_outages(good.substr(0, i))) << i;
  }
  EXPECT_FALSE(unpack_outages(good + "x"));
}

TEST(PackedOutages, WhatIsSomethingElseIsTold) {
  for (const char* text : {"", "{}", "[[outages]]\n", "checkrelay outages\n"}) {
    auto read = unpack_outages(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::corrupt);
  }
}

}  // namespace
}  // namespace checkrelay
