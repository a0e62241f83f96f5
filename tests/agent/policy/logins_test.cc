#include "agent/policy/logins.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

class Tokens : public testing::Test {
 protected:
  static Instant at(Duration d) { return {Steady(d), Wall(d)}; }
  Secret login(const std::string& user = "ann", Duration when = 0s) {
    return table.open({user, Secret("pw")}, 1h, at(when)).value();
  }
  bool works(const Secret& token, Duration when, const std::string& user = "ann") {
    return table.use({user, token}, at(when)).has_value();
  }
  int made = 0;
  std::shared_ptr<Access> access = std::make_shared<Access>(
      std::vector<User>{{"ann", Secret("pw"), {"*"}}, {"bob", Secret("pw"), {"*"}}});
  TokenTable table{access, [this] { return std::to_string(++made); }};
};

TEST_F(Tokens, AreGivenToWhoeverHasThePassword) {
  EXPECT_TRUE(works(login(), 1min));
  EXPECT_EQ(table.open({"ann", Secret("x")}, 1h, at(0s)).error().code, Errc::refused);
  EXPECT_FALSE(works(Secret("unknown"), 1min));
}

TEST_F(Tokens, SlideWithUse) {
  const Secret token = login();
  EXPECT_TRUE(works(token, 50min));
  EXPECT_TRUE(works(token, 100min));
  EXPECT_FALSE(works(token, 161min));
}

TEST_F(Tokens, AreOneUsersAlone) {
  const Secret token = login();
  EXPECT_EQ(table.use({"bob", token}, at(0s)).error().code, Errc::refused);
  EXPECT_EQ(table.use({"", token}, at(0s)).value(), "ann");
}

TEST_F(Tokens, EndWithLogoutAndWithANewPassword) {
  const Secret first = login();
  table.close(first);
  table.close(first);
  EXPECT_FALSE(works(first, 0s));
  const Secret second = login();
  *access = Access({{"ann", Secret("other"), {"*"}}});
  EXPECT_FALSE(works(second, 0s));
  const Secret gone = table.open({"ann", Secret("other")}, 1h, at(0s)).value();
  *access = Access({{"bob", Secret("pw"), {"*"}}});
  EXPECT_FALSE(works(gone, 0s));
}

TEST_F(Tokens, OfAnOpenDoorAreForEverybody) {
  *access = Access();
  EXPECT_TRUE(works(login("anybody"), 0s, "anybody"));
}

TEST_F(Tokens, AreBoundedAndTheOldestGoes) {
  const Secret first = login("ann", 0s);
  const Secret second = login("ann", 1s);
  for (std::size_t i = 2; i < TokenTable::kMost; ++i) login("ann", 2s);
  EXPECT_TRUE(works(first, 3s));
  login("ann", 4s);
  EXPECT_TRUE(works(first, 5s));
  EXPECT_FALSE(works(second, 5s));
}

}  // namespace
}  // namespace checkrelay
