#include "agent/policy/freshness_kept.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

FreshnessRecord full_record() {
  FreshnessRecord r;
  r.subject = {"db1", "Backup"};
  r.standing = {1'780'000'000, 1'779'999'990, 1'780'000'001, 1'780'086'400, 7, 9, true, true};
  r.runs = {{"run-1", 1'780'000'002}, {std::string(64, 'x'), 1'780'000'004}};
  return r;
}

TEST(FreshnessKept, ASubjectReadsBackAsItWas) {
  const FreshnessRecord r = full_record();
  EXPECT_EQ(decode_subject(encode_subject(r)).value(), r);
  EXPECT_EQ(decode_subject(encode_subject({})).value(), FreshnessRecord{});
}

TEST(FreshnessKept, TheSiteReadsBackAsItWas) {
  const KeptSite site{Duration(-3'600'000'000), 1'780'000'000, {{"site-7", 5}, {"", 0}}};
  EXPECT_EQ(decode_site(encode_site(site)).value(), site);
}

TEST(FreshnessKept, EveryCutAndEveryAdditionIsCorrupt) {
  for (const std::string& whole : {encode_subject(full_record()), encode_subject({})}) {
    for (std::size_t i = 0; i < whole.size(); ++i)
      EXPECT_EQ(decode_subject(whole.substr(0, i)).error().code, Errc::corrupt) << i;
    EXPECT_EQ(decode_subject(whole + "x").error().code, Errc::corrupt);
  }
  EXPECT_EQ(decode_site("").error().code, Errc::corrupt);
  EXPECT_EQ(decode_site(encode_site({}) + "x").error().code, Errc::corrupt);
}

TEST(FreshnessKept, ANewerVersionIsToldAsSuch) {
  std::string newer = encode_subject(full_record());
  newer[0] = 2;
  EXPECT_EQ(decode_subject(newer).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace checkrelay
