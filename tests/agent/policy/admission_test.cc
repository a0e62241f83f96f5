#include "agent/policy/admission.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace checkrelay {
namespace {

const Wall kNow{Duration(1767608100250000)};

CheckResult result() {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  return r;
}

Admission admission(std::size_t max_result = 100) { return Admission({"edge1", max_result}, 1); }

TEST(IdMaker, LaysOutAUuidOfVersionSeven) {
  const std::regex layout("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  IdMaker maker(1);
  for (int i = 0; i < 1000; ++i) {
    std::string id = maker.make(kNow);
    ASSERT_TRUE(std::regex_match(id, layout)) << id;
  }
}

// RFC 9562 appendix A.6: 2022-02-22T19:22:22Z is 017F22E2-79B0-7….
TEST(IdMaker, BeginsWithTheMilliseconds) {
  IdMaker maker(1);
  EXPECT_EQ(maker.make(Wall(std::chrono::milliseconds(1645557742000))).substr(0, 15),
            "017f22e2-79b0-7");
}

TEST(IdMaker, SortsByTime) {
  IdMaker maker(7);
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    std::string id = maker.make(kNow + std::chrono::milliseconds(i));
    ASSERT_LT(last, id);
    last = id;
  }
}

TEST(IdMaker, DoesNotRepeatItselfWithinAMillisecond) {
  IdMaker maker(7);
  std::set<std::string> ids;
  for (int i = 0; i < 100'000; ++i) ids.insert(maker.make(kNow));
  EXPECT_EQ(ids.size(), 100'000U);
}

TEST(IdMaker, SeedsTellMakersApart) {
  EXPECT_EQ(IdMaker(1).make(kNow), IdMaker(1).make(kNow));
  EXPECT_NE(IdMaker(1).make(kNow), IdMaker(2).make(kNow));
}

TEST(Admission, FillsInWhatWasLeftOut) {
  CheckResult r = result();
  r.subject.host.clear();
  bool id_given = true;
  ASSERT_TRUE(admission().admit(r, id_given, kNow));
  EXPECT_EQ(r.subject.host, "edge1");
  EXPECT_EQ(r.time, kNow);
  EXPECT_EQ(r.received, kNow);
  EXPECT_EQ(r.id.size(), 36U);
  EXPECT_FALSE(id_given);
}

TEST(Admission, KeepsWhatWasGiven) {
  CheckResult r = result();
  r.time = kNow - std::chrono::hours(1);
  r.id = "mine";
  bool id_given = false;
  ASSERT_TRUE(admission().admit(r, id_given, kNow));
  EXPECT_EQ(r.subject.host, "db1");
  EXPECT_EQ(r.time, kNow - std::chrono::hours(1));
  EXPECT_EQ(r.received, kNow);
  EXPECT_EQ(r.id, "mine");
  EXPECT_TRUE(id_given);
}

TEST(Admission, TextsTogetherAreAtMostMaxResult) {
  CheckResult r = result();
  r.output = std::string(60, 'o');
  r.perfdata = std::string(40, 'p');
  bool id_given = false;
  EXPECT_TRUE(admission(100).admit(r, id_given, kNow));
  auto refused = admission(99).admit(r, id_given, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_NE(refused.error().what.find("output: 100 bytes, at most 99"), std::string::npos);
}

TEST(Admission, ReplacesWhatIsNotUtf8) {
  CheckResult r = result();
  r.output = "gr\xFCn";
  r.perfdata = "\xFF=1";
  bool id_given = false;
  ASSERT_TRUE(admission().admit(r, id_given, kNow));
  EXPECT_EQ(r.output, "gr\xEF\xBF\xBDn");
  EXPECT_EQ(r.perfdata, "\xEF\xBF\xBD=1");
}

TEST(Admission, ErrorsNameTheField) {
  bool id_given = false;
  CheckResult r = result();
  r.state = 7;
  EXPECT_EQ(admission().admit(r, id_given, kNow).error().what, "state: \"7\" is not 0-3");
  r = result();
  r.subject.host = "a\x01";
  EXPECT_EQ(admission().admit(r, id_given, kNow).error().what.substr(0, 5), "host:");
}

TEST(Admission, WithoutADefaultHostAnEmptyHostIsRefused) {
  Admission bare({"", 100}, 1);
  CheckResult r = result();
  r.subject.host.clear();
  bool id_given = false;
  EXPECT_EQ(bare.admit(r, id_given, kNow).error().what, "host: empty");
}

}  // namespace
}  // namespace checkrelay
