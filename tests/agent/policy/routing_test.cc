#include "agent/policy/routing.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

Route route(std::string host, std::string service, LaneMask lanes) {
  return {std::move(host), std::move(service), lanes};
}

TEST(Router, WithoutRoutesEverythingGoesEverywhere) {
  EXPECT_EQ(Router(0b101, {}).route({"db1", "x"}), 0b101U);
  EXPECT_EQ(Router().route({"db1", "x"}), 0U);
}

TEST(Router, AResultGoesToTheUnionOfAllRoutesThatMatch) {
  Router router(0b111, {route("db*", "*", 0b001), route("*", "Backup", 0b010)});
  EXPECT_EQ(router.route({"db1", "Backup"}), 0b011U);
  EXPECT_EQ(router.route({"db1", "Disk"}), 0b001U);
  EXPECT_EQ(router.route({"web1", "Backup"}), 0b010U);
}

TEST(Router, WhatNoRouteTakesGoesNowhere) {
  EXPECT_EQ(Router(0b1, {route("db*", "*", 0b1)}).route({"web1", "Disk"}), 0U);
}

TEST(Router, StarTakesHostChecksToo) {
  EXPECT_EQ(Router(0, {route("db*", "*", 1)}).route({"db1", ""}), 1U);
}

TEST(Router, AnEmptyServiceTakesHostChecksAlone) {
  Router router(0, {route("db*", "", 1)});
  EXPECT_EQ(router.route({"db1", ""}), 1U);
  EXPECT_EQ(router.route({"db1", "Disk"}), 0U);
}

TEST(Router, ANamedServiceTakesNoHostCheck) {
  EXPECT_EQ(Router(0, {route("*", "Disk", 1)}).route({"db1", ""}), 0U);
}

TEST(Router, TheLastLaneCounts) {
  LaneMask last = LaneMask{1} << 63U;
  EXPECT_EQ(Router(0, {route("*", "*", last)}).route({"db1", ""}), last);
}

}  // namespace
}  // namespace checkrelay
