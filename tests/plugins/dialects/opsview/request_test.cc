#include <gtest/gtest.h>

#include "agent/base/text.h"
#include "plugins/dialects/opsview/wire.h"
#include "plugins/dialects/plugin_text.h"

namespace checkrelay::opsview {
namespace {

CheckResult result(std::string output, std::string perfdata = {}) {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  r.state = 2;
  r.output = std::move(output);
  r.perfdata = std::move(perfdata);
  return r;
}
std::string text(std::string output, std::string perfdata = {}, std::size_t limit = 16 * 1024) {
  return plugin_output(result(std::move(output), std::move(perfdata)), {limit});
}

TEST(OpsviewRequest, RootIsTakenWithAndWithoutTheApisPath) {
  for (const char* root : {"https://m.example.com", "https://m.example.com/",
                           "https://m.example.com/rest", "https://m.example.com/rest/"}) {
    EXPECT_EQ(api_url(root, "/login"), "https://m.example.com/rest/login") << root;
  }
  EXPECT_EQ(api_url("http://h/ops", ""), "http://h/ops/rest");
}

TEST(OpsviewRequest, DetailNamesTheObjectInTheUrl) {
  Message m = submit_request("http://h", Form::detail, result("late", "x=1"), {});
  EXPECT_EQ(m.method, "POST");
  EXPECT_EQ(m.target, "http://h/rest/detail?hostname=db1&servicename=Backup");
  EXPECT_EQ(m.body, R"({"set_state":{"result":2,"output":"late|x=1"}})");
  EXPECT_EQ(*m.header("content-type"), "application/json");
  EXPECT_EQ(*m.header("accept"), "application/json");
}

TEST(OpsviewRequest, HostsHaveNoServiceName) {
  CheckResult host = result("down");
  host.subject.service.clear();
  EXPECT_EQ(submit_request("http://h", Form::detail, host, {}).target,
            "http://h/rest/detail?hostname=db1");
  EXPECT_EQ(submit_request("http://h", Form::status, host, {}).target,
            "http://h/rest/status?hst.hostname=db1");
  EXPECT_EQ(lookup_request("http://h", host.subject).target, "http://h/rest/detail?hostname=db1");
}

TEST(OpsviewRequest, StatusSaysNewStateAsText) {
  Message m = submit_request("http://h", Form::status, result("late", "x=1"), {});
  EXPECT_EQ(m.target, "http://h/rest/status?svc.hostname=db1&svc.servicename=Backup");
  EXPECT_EQ(m.body, R"({"new_state":"2","comment":"late|x=1"})");
}

TEST(OpsviewRequest, NamesAreEncoded) {
  CheckResult r = result("x");
  r.subject = {"a&b", "c d+\u00e5/?#"};
  EXPECT_EQ(submit_request("http://h", Form::detail, r, {}).target,
            "http://h/rest/detail?hostname=a%26b&servicename=c%20d%2B%C3%A5%2F%3F%23");
}

TEST(OpsviewRequest, LoginKeepsThePasswordOutOfTheUrl) {
  Message m = login_request("http://h", {"re\"lay", Secret("s\\x")});
  EXPECT_EQ(m.target, "http://h/rest/login");
  EXPECT_EQ(m.body, R"({"username":"re\"lay","password":"s\\x"})");
}

TEST(OpsviewRequest, NamesThatAreWildcardsAreRefusedWithTheReason) {
  EXPECT_EQ(unaddressable({"db1", "100%"}),
            "servicename: \"100%\" cannot be addressed: it holds '%', which Opsview takes for a "
            "wildcard");
  EXPECT_TRUE(unaddressable({"%", ""}));
  EXPECT_TRUE(unaddressable({"", "x"}));
  EXPECT_TRUE(unaddressable({"a\nb", ""}));
  EXPECT_TRUE(unaddressable({"a\xff", ""}));
  EXPECT_FALSE(unaddressable({"db_1", "C:\\ a;b|$"}));
  EXPECT_TRUE(may_match_others({"db_1", ""}));
  EXPECT_FALSE(may_match_others({"db1", "x"}));
}

TEST(OpsviewRequest, OutputIsOneLineWithOnePipe) {
  EXPECT_EQ(text("first\r\n\n second \nthird|x", "a=1\nb=2"),
            "first / second / third\u00a6x|a=1 b=2");
  EXPECT_EQ(text("x\x01y\ttab"), "x y\ttab");
}

TEST(OpsviewRequest, EmptyOutputIsFilledInSinceItWouldBeRefused) {
  for (const char* empty : {"", " \n ", "\x01"}) EXPECT_EQ(text(empty), "(no output)");
  EXPECT_EQ(text("", "x=1"), "(no output)|x=1");
}

TEST(OpsviewRequest, OutputAndPerfdataAreCutByThemselves) {
  EXPECT_EQ(text(std::string(100, 'a'), "x=1 'y z'=2", 64), std::string(64, 'a') + "|x=1 'y z'=2");
  EXPECT_EQ(text("a", "x=1 'y " + std::string(80, 'z') + "'=2", 64), "a|x=1");
  EXPECT_EQ(text("a", std::string(80, 'z'), 64), "a");
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "\u00e5";
  EXPECT_TRUE(is_valid_utf8(text(wide, "", 65)));
}

TEST(OpsviewRequest, StatesStayInTheApisRange) {
  EXPECT_EQ(upstream_state(3, true), 1);
  EXPECT_EQ(upstream_state(2, true), 2);
  EXPECT_EQ(upstream_state(3, false), 3);
  EXPECT_EQ(upstream_state(9, false), 3);
}

}  // namespace
}  // namespace checkrelay::opsview
