#include "agent/policy/access.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

User user(std::string name, std::string password, std::vector<std::string> hosts = {"*"}) {
  return {std::move(name), Secret(std::move(password)), std::move(hosts)};
}

Credentials given(std::string name, std::string password) {
  return {std::move(name), Secret(std::move(password))};
}

Access two() { return Access({user("ann", "one"), user("bob", "two")}); }

TEST(Access, WithoutUsersNobodyHasToSayWhoTheyAre) {
  EXPECT_TRUE(Access().open());
  EXPECT_FALSE(two().open());
}

TEST(Access, BasicNeedsNameAndPassword) {
  Access access = two();
  ASSERT_NE(access.authenticate(given("bob", "two")), nullptr);
  EXPECT_EQ(access.authenticate(given("bob", "two"))->name, "bob");
  EXPECT_EQ(access.authenticate(given("bob", "one")), nullptr);
  EXPECT_EQ(access.authenticate(given("eve", "one")), nullptr);
  EXPECT_EQ(access.authenticate(given("bob", "")), nullptr);
}

TEST(Access, BearerNeedsThePasswordAlone) {
  Access access = two();
  ASSERT_NE(access.authenticate(given("", "one")), nullptr);
  EXPECT_EQ(access.authenticate(given("", "one"))->name, "ann");
  EXPECT_EQ(access.authenticate(given("", "three")), nullptr);
  EXPECT_EQ(access.authenticate(given("", "")), nullptr);
}

TEST(Access, NamesAndPasswordsAreTakenWhole) {
  Access access = two();
  EXPECT_EQ(access.authenticate(given("bo", "two")), nullptr);
  EXPECT_EQ(access.authenticate(given("bob", "twotwo")), nullptr);
  EXPECT_EQ(access.authenticate(given("BOB", "two")), nullptr);
}

TEST(Access, NobodyIsProvedWhereThereAreNoUsers) {
  EXPECT_EQ(Access().authenticate(given("", "")), nullptr);
}

TEST(Access, AUserSpeaksForTheHostsOfThePatterns) {
  User ann = user("ann", "x", {"db*", "web1"});
  EXPECT_TRUE(Access::may_speak_for(ann, "db7"));
  EXPECT_TRUE(Access::may_speak_for(ann, "web1"));
  EXPECT_FALSE(Access::may_speak_for(ann, "web2"));
  EXPECT_FALSE(Access::may_speak_for(ann, ""));
}

TEST(Access, WithoutPatternsAUserSpeaksForNobody) {
  EXPECT_FALSE(Access::may_speak_for(user("ann", "x", {}), "db7"));
}

}  // namespace
}  // namespace checkrelay
