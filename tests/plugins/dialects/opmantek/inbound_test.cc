#include "plugins/dialects/opmantek/inbound.h"

#include <gtest/gtest.h>

#include "plugins/dialects/opmantek/wire.h"

namespace checkrelay::opmantek {
namespace {

class OneLogin : public Logins {
 public:
  Result<Secret> open(const Credentials& given, Duration, Instant) override {
    if (given.user == "ops" && given.secret.reveal() == "s&cret") return Secret("cafe");
    return fail(Errc::refused, "no");
  }
  void close(const Secret&) override {}
};

std::vector<KnownOutage> known(Wall) {
  KnownOutage nodes, elements;
  nodes.outage = {"1", "CHG", "swap \"it\"", "once", "10", "20", {"a", "b"}, {}};
  nodes.current = true;
  elements.outage = {"x y", "", "", "daily", "0000", "24:00", {}, {{"a", "regex:^V"}}};
  return {nodes, elements};
}

Message ask(std::string method, std::string target, std::string body = "", bool in = true) {
  OneLogin logins;
  InboundContext context;
  context.authenticated = in;
  context.outages = known;
  context.logins = &logins;
  auto conversation = make_inbound(context);
  Actions out;
  Message request = Message::request(std::move(method), std::move(target), std::move(body));
  conversation->receive(std::move(request), {}, out);
  return out.send.empty() ? Message{} : out.send.front();
}

const std::string kList = "/en/omk/admin/api/v3/outages";

TEST(OutagesInbound, TheListIsWhatTheSourceReads) {
  Message m = ask("GET", kList + "?x=1");
  EXPECT_EQ(m.status, 200);
  auto list = parse_list(m.body);
  ASSERT_TRUE(list) << m.body;
  const auto expected = known({});
  ASSERT_EQ(list->outages.size(), 2U);
  EXPECT_EQ(list->outages[0], expected[0].outage);
  EXPECT_EQ(list->outages[1], expected[1].outage);
  EXPECT_NE(m.body.find(R"("current":"current")"), std::string::npos);
}

TEST(OutagesInbound, OneIsFoundByItsId) {
  EXPECT_EQ(ask("GET", kList + "/x%20y.json").status, 200);
  EXPECT_EQ(ask("GET", kList + "/nobody").status, 404);
  EXPECT_EQ(ask("GET", "/omk/admin/v3/outages/1").status, 200);
}

TEST(OutagesInbound, V2HidesElements) {
  EXPECT_EQ(parse_list(ask("GET", "/en/omk/admin/api/v2/outages").body)->outages.size(), 1U);
}

TEST(OutagesInbound, NothingIsToldOrChangedWithoutRight) {
  EXPECT_EQ(ask("GET", kList, "", false).status, 401);
  EXPECT_EQ(ask("POST", kList, "{}").status, 405);
  EXPECT_EQ(ask("DELETE", kList + "/1").status, 405);
}

TEST(OutagesInbound, ALoginGivesACookieThatIsTheSession) {
  Message m = ask("POST", "/en/omk/admin/login", "username=ops&password=s%26cret", false);
  EXPECT_EQ(m.status, 200);
  ASSERT_TRUE(m.header("Set-Cookie"));
  EXPECT_EQ(m.header("Set-Cookie")->substr(0, 15), "checkrelay=cafe");
  EXPECT_EQ(ask("POST", "/en/omk/admin/login", "username=ops&password=no", false).status, 401);
  EXPECT_EQ(ask("POST", "/en/omk/admin/login", "", false).status, 401);
  EXPECT_EQ(ask("GET", "/en/omk/admin/login").status, 405);
}

TEST(OutagesInbound, OnlyItsOwnPathsAreOwned) {
  for (auto path : {"/en/omk/admin/api/v3/outages", "/omk/admin/v3/outages/1", "/omk/admin/login"})
    EXPECT_TRUE(owns_path(path)) << path;
  for (auto path : {"/", "/en/omk/admin", "/en/omk/admin/api/v3/outagesx", "/v1/results",
                    "/en/omk/admin/api/v1/outages", "/en/omk/admin/api/"})
    EXPECT_FALSE(owns_path(path)) << path;
}

}  // namespace
}  // namespace checkrelay::opmantek
