#include "plugins/dialects/op5/filter.h"

#include <gtest/gtest.h>

#include "agent/base/percent.h"

namespace checkrelay::op5 {
namespace {

TEST(Op5Filter, AsksTheCoreOfItself) {
  EXPECT_EQ(percent_decoded(core_url("https://m/")),
            "https://m/api/filter/query?format=json&query=[status] all&columns=program_version,"
            "accept_passive_host_checks,accept_passive_service_checks&limit=64");
  EXPECT_EQ(core_url("https://m/api"), core_url("https://m"));
  EXPECT_EQ(core_url("https://m").find(' '), std::string::npos);
}

TEST(Op5Filter, CoreIsReadFromNumbersTextsAndFlags) {
  auto core = parse_core(
      R"([{"program_version":"1.4.2","accept_passive_host_checks":0,"accept_passive_service_checks":"1"}])");
  ASSERT_TRUE(core);
  EXPECT_EQ(core->version, "1.4.2");
  EXPECT_EQ(core->takes_hosts, false);
  EXPECT_EQ(core->takes_services, true);
  EXPECT_EQ(parse_core(R"([{"accept_passive_host_checks":true}])")->takes_hosts, true);
  EXPECT_EQ(parse_core(R"([{"program_version":"1"}])")->takes_hosts, std::nullopt);
}

TEST(Op5Filter, WhatTellsNothingOfTheCoreIsAFault) {
  for (const char* body : {"", "<html></html>", "{}", "[]", "[1]", "[{}]", R"([{"x":1}])",
                           R"([{"program_version":[]}])", "[[[["})
    EXPECT_FALSE(parse_core(body)) << body;
}

TEST(Op5Filter, NamesAreEscapedForTheQueryAndTheUrl) {
  const Subject subjects[] = {{R"(a"b\c)", "100% & more"}, {"db2", "x"}};
  const std::string url = objects_url("http://m", subjects);
  EXPECT_EQ(percent_decoded(url),
            R"(http://m/api/filter/query?format=json&query=[services] )"
            R"((host.name = "a\"b\\c" and description = "100% & more") or )"
            R"((host.name = "db2" and description = "x"))"
            "&columns=host.name,description,last_check,accept_passive_checks&limit=64");
  EXPECT_EQ(url.find_first_of(" \"\\"), std::string::npos);
  const Subject hosts[] = {{"db1", ""}, {"db2", ""}};
  EXPECT_NE(percent_decoded(objects_url("http://m", hosts))
                .find(R"([hosts] name = "db1" or name = "db2"&columns=name,last_check,)"),
            std::string::npos);
}

TEST(Op5Filter, ServicesHostIsFoundInEveryForm) {
  for (const char* host : {R"("host":{"name":"db1"})", R"("host.name":"db1")",
                           R"("host_name":"db1")", R"("host":"db1")"}) {
    auto objects = parse_objects(std::string("[{") + host +
                                     R"(,"description":"B","last_check":"77",)"
                                     R"("accept_passive_checks":0}])",
                                 false);
    ASSERT_TRUE(objects);
    ASSERT_EQ(objects->size(), 1U) << host;
    EXPECT_EQ((*objects)[0].subject, (Subject{"db1", "B"}));
    EXPECT_EQ((*objects)[0].last_check, 77);
    EXPECT_EQ((*objects)[0].passive, false);
  }
}

TEST(Op5Filter, RowsThatAreNoObjectsAreLeftOutAndNoListIsAFault) {
  auto hosts = parse_objects(R"([1,{"name":7},{},{"name":"db1"},null])", true);
  ASSERT_TRUE(hosts);
  ASSERT_EQ(hosts->size(), 1U);
  EXPECT_EQ((*hosts)[0].last_check, std::nullopt);
  EXPECT_EQ((*hosts)[0].passive, std::nullopt);
  EXPECT_TRUE(parse_objects(R"([{"host":{},"description":"x"}])", false)->empty());
  for (const char* body : {"", "{}", "null", "<html>", "[{\"name\":\"db1\""})
    EXPECT_FALSE(parse_objects(body, true)) << body;
}

TEST(Op5Filter, RowsAreReadUpToTheirLimit) {
  std::string body = "[";
  for (std::size_t i = 0; i < kMostRows + 9; ++i) body += R"({"name":"h"},)";
  body.back() = ']';
  EXPECT_EQ(parse_objects(body, true)->size(), kMostRows);
}

}  // namespace
}  // namespace checkrelay::op5
