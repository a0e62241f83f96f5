#include "agent/base/account.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

TEST(Account, NamesAndNumbersAreRead) {
  EXPECT_EQ(user_id("root"), 0U);
  EXPECT_EQ(user_id("0"), 0U);
  EXPECT_EQ(user_id("4294967294"), 4294967294U);
  EXPECT_EQ(group_id("root"), 0U);
  EXPECT_EQ(group_id("17"), 17U);
}

TEST(Account, WhatIsNeitherIsNone) {
  for (const char* name : {"", "no such user", "-1", "4294967295", "0x0", "1 "}) {
    EXPECT_EQ(user_id(name), std::nullopt) << name;
    EXPECT_EQ(group_id(name), std::nullopt) << name;
  }
}

TEST(Account, ThePrimaryGroupCounts) {
  EXPECT_TRUE(user_in_group(0, 0));
  EXPECT_TRUE(user_in_group(0, "root"));
}

TEST(Account, StrangersAreInNoGroup) {
  EXPECT_FALSE(user_in_group(0, 4294967290U));
  EXPECT_FALSE(user_in_group(4294967290U, 0));
  EXPECT_FALSE(user_in_group(0, "no such group"));
}

}  // namespace
}  // namespace checkrelay
