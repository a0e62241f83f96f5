#include "agent/flow/operator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "agent/flow/export_page.h"
#include "agent/flow/queue_view.h"
#include "agent/model/packed.h"
#include "tests/support/world.h"

namespace checkrelay {
namespace {

using nlohmann::json;

class OperatorTest : public testing::Test {
 protected:
  OperatorTest() {
    (void)world.journal.lanes({{"central", {}}, {"spare", {}}});
    root.uid = 0;
    stranger.uid = geteuid() + 12345;
  }
  void put(const std::string& id, const std::string& host, LaneMask lanes = 1) {
    CheckResult r;
    r.id = id;
    r.subject = {host, "Backup"};
    r.output = "fine";
    Record record;
    record.id = id;
    record.subject = id;
    record.received = world.now().wall;
    record.lanes = lanes;
    record.body = pack(r);
    world.journal.stage({record}, [](const auto&) {});
    world.settle_down();
  }
  void kill(Seq seq) {
    world.journal.claim(0, 100, 1 << 20U, [](const auto&) {});
    Settlement s;
    s.seq = seq;
    s.end = Settlement::End::dead;
    s.answer = "no";
    world.journal.settle(0, {s});
    world.settle_down();
  }
  Message ask(const Peer& peer, const std::string& method, const std::string& target,
              const std::string& body = {}) {
    std::optional<Message> got;
    oper.answer(peer, Message::request(method, target, body), [&](const Message& m) { got = m; });
    EXPECT_FALSE(got) << "answered within answer()";
    world.settle_down();
    EXPECT_TRUE(got) << target;
    return got.value_or(Message{});
  }
  json rows(const std::string& query) {
    return json::parse(ask(root, "GET", "/v1/queue" + query).body)["rows"];
  }

  World world;
  Status status;
  Operator oper{world.journal, world.env, [this] { return status; }};
  Peer root, stranger;
};

TEST_F(OperatorTest, HealthSaysThatTheProcessIsThere) {
  EXPECT_EQ(ask(stranger, "GET", "/healthz").status, 200);
  EXPECT_EQ(ask(stranger, "HEAD", "/healthz").status, 200);
}

TEST_F(OperatorTest, ReadinessSaysWhyNot) {
  EXPECT_EQ(ask(stranger, "GET", "/readyz").status, 200);
  status.trouble = "full: no room";
  Message m = ask(stranger, "GET", "/readyz");
  EXPECT_EQ(m.status, 503);
  EXPECT_EQ(m.body, "full: no room\n");
}

TEST_F(OperatorTest, MetricsAndStatusAreForEverybody) {
  Message metrics = ask(stranger, "GET", "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(*metrics.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(metrics.body.find("checkrelay_uptime_seconds"), std::string::npos);
  EXPECT_TRUE(json::parse(ask(stranger, "GET", "/v1/status").body).contains("journal"));
}

TEST_F(OperatorTest, WrongMethodsGet405AndWhatIsAllowed) {
  for (std::string path : {"/healthz", "/readyz", "/metrics", "/v1/status", "/v1/queue"}) {
    Message m = ask(root, "DELETE", path);
    EXPECT_EQ(m.status, 405) << path;
    EXPECT_NE(m.header("Allow"), nullptr) << path;
  }
  Message m = ask(root, "GET", "/v1/queue/retry");
  EXPECT_EQ(m.status, 405);
  ASSERT_NE(m.header("Allow"), nullptr);
  EXPECT_EQ(*m.header("Allow"), "POST");
}

TEST_F(OperatorTest, UnknownPathsGet404) {
  put("a", "db1");
  for (std::string path : {"/", "", "/v1", "/v1/queuex", "/v1/queue/", "/healthz/", "/%00"})
    EXPECT_EQ(ask(root, "GET", path).status, 404) << path;
}

TEST_F(OperatorTest, TheQueueIsOpenToOperatorsAlone) {
  EXPECT_EQ(ask(stranger, "GET", "/v1/queue").status, 403);
  EXPECT_EQ(ask(Peer{}, "GET", "/v1/queue").status, 403);
  EXPECT_EQ(ask(stranger, "POST", "/v1/queue/drop", "a").status, 403);
  EXPECT_EQ(ask(root, "GET", "/v1/queue").status, 200);
  Peer self;
  self.uid = geteuid();
  EXPECT_EQ(ask(self, "GET", "/v1/queue").status, 200);
}

TEST_F(OperatorTest, TheQueueIsListedAndFiltered) {
  put("a", "db1");
  put("b", "db2", 3);
  put("c", "web1");
  kill(1);
  EXPECT_EQ(rows("").size(), 4U);
  EXPECT_EQ(rows("?state=dead").size(), 1U);
  EXPECT_EQ(rows("?state=dead")[0]["answer"], "no");
  EXPECT_EQ(rows("?state=delivered").size(), 0U);
  EXPECT_EQ(rows("?destination=spare").size(), 1U);
  EXPECT_EQ(rows("?host=db*").size(), 3U);
  EXPECT_EQ(rows("?host=db%2A&service=Back%75p").size(), 3U);
  EXPECT_EQ(rows("?service=Disk").size(), 0U);
  EXPECT_EQ(rows("?after=2").size(), 1U);
}

TEST_F(OperatorTest, ALimitedListSaysThatThereIsMore) {
  put("a", "db1");
  put("b", "db2");
  json page = json::parse(ask(root, "GET", "/v1/queue?limit=1").body);
  EXPECT_EQ(page["rows"].size(), 1U);
  EXPECT_EQ(page["more"], true);
  EXPECT_EQ(page["rows"][0]["id"], "a");
  EXPECT_EQ(page["rows"][0]["destination"], "central");
  EXPECT_EQ(page["rows"][0]["host"], "db1");
  EXPECT_EQ(page["rows"][0]["result_state"], "OK");
}

TEST_F(OperatorTest, WhatIsPendingIsExportedOnce) {
  put("a", "db1");
  put("b", "db2", 3);
  put("c", "web1", 2);
  kill(1);
  EXPECT_EQ(ask(stranger, "GET", "/v1/export").status, 403);
  auto page = decode_export(ask(root, "GET", "/v1/export").body);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->parcels.size(), 2U);
  EXPECT_EQ(unpack(page->parcels[0].body)->id, "b");
  page = decode_export(ask(root, "GET", "/v1/export?destination=central").body);
  ASSERT_EQ(page->parcels.size(), 1U);
  EXPECT_EQ(page->parcels[0].seq, 2U);
}

TEST_F(OperatorTest, WhatWasExportedIsReleasedByNumber) {
  put("a", "db1");
  put("b", "db2", 3);
  put("c", "web1");
  EXPECT_EQ(ask(stranger, "POST", "/v1/queue/release", "1").status, 403);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/release", "x").status, 400);
  EXPECT_EQ(json::parse(ask(root, "POST", "/v1/queue/release", "").body)["changed"], 0);
  EXPECT_EQ(
      json::parse(ask(root, "POST", "/v1/queue/release?destination=spare", "1-2").body)["changed"],
      1);
  EXPECT_EQ(json::parse(ask(root, "POST", "/v1/queue/release", "1-2\n7").body)["changed"], 2);
  EXPECT_EQ(rows("?state=pending").size(), 1U);
}

TEST_F(OperatorTest, WrongFiltersAreNamed) {
  Message m = ask(root, "GET", "/v1/queue?state=lost");
  EXPECT_EQ(m.status, 400);
  EXPECT_NE(m.body.find("lost"), std::string::npos);
  EXPECT_EQ(ask(root, "GET", "/v1/queue?destination=nowhere").status, 404);
}

TEST_F(OperatorTest, AResultsStoryIsShownWhateverBecameOfIt) {
  put("a", "db1", 3);
  kill(1);
  json story = json::parse(ask(root, "GET", "/v1/queue/a").body);
  EXPECT_EQ(story["id"], "a");
  EXPECT_EQ(story["host"], "db1");
  ASSERT_EQ(story["destinations"].size(), 2U);
  EXPECT_EQ(story["destinations"][0]["state"], "dead");
  EXPECT_EQ(story["destinations"][1]["state"], "pending");
  EXPECT_EQ(story["story"][0]["what"], "stored");
}

TEST(QueueView, AStoryTellsEveryDestinationsTriesInTheOrderOfTime) {
  auto at = [](int s) { return Wall(std::chrono::seconds(s)); };
  BrowsePage page;
  page.rows.resize(2);
  page.rows[0].story = {{at(1), 0, "stored", ""}, {at(2), 0, "delivered", "written"}};
  page.rows[1].lane = 1;
  page.rows[1].story = {{at(1), 1, "stored", ""}, {at(3), 1, "dead", "no such host"}};
  json story =
      json::parse(story_json(page, [](LaneId lane) { return lane == 0 ? "file" : "central"; }));
  std::string told;
  for (const json& line : story["story"])
    told += line["what"].get<std::string>() + "@" + line["destination"].get<std::string>() + " ";
  EXPECT_EQ(told, "stored@ delivered@file dead@central ");
}

TEST_F(OperatorTest, AResultIsFoundByItsNumberToo) {
  put("a", "db1");
  EXPECT_EQ(json::parse(ask(root, "GET", "/v1/queue/1").body)["id"], "a");
  EXPECT_EQ(ask(root, "GET", "/v1/queue/2").status, 404);
  EXPECT_EQ(ask(root, "GET", "/v1/queue/b").status, 404);
}

TEST_F(OperatorTest, AnIdWithAPlusIsFound) {
  put("a+b/c", "db1");
  EXPECT_EQ(ask(root, "GET", "/v1/queue/a+b/c").status, 200);
  EXPECT_EQ(ask(root, "GET", "/v1/queue/a%2Bb%2fc").status, 200);
}

TEST_F(OperatorTest, DeadLettersAreRetriedByIdOrAllTogether) {
  for (std::string id : {"a", "b", "c"}) put(id, "db1");
  for (Seq seq : {1U, 2U, 3U}) kill(seq);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/retry", "a\nnobody\n").body, "{\"changed\":1}\n");
  EXPECT_EQ(world.journal.fate("a", 0), "pending");
  EXPECT_EQ(world.journal.fate("b", 0), "dead");
  EXPECT_EQ(ask(root, "POST", "/v1/queue/retry").body, "{\"changed\":2}\n");
}

TEST_F(OperatorTest, WhatStaysDeadWhenAllIsRetriedIsTold) {
  for (std::string id : {"a", "b", "c"}) put(id, "db1");
  for (Seq seq : {1U, 2U, 3U}) kill(seq);
  world.journal.retries_at_most = 2;
  EXPECT_EQ(ask(root, "POST", "/v1/queue/retry").body, "{\"changed\":2,\"dead\":1}\n");
  EXPECT_EQ(ask(root, "POST", "/v1/queue/retry?destination=spare").body, "{\"changed\":0}\n");
}

TEST_F(OperatorTest, WhatCouldNotBeStoredIsSaid) {
  put("a", "db1");
  world.journal.faked.trouble = "the disk is sick";
  EXPECT_EQ(ask(root, "POST", "/v1/queue/release?destination=spare", "1").status, 503);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/retry", "nobody").status, 200);
  const Message m = ask(root, "POST", "/v1/queue/retry");
  EXPECT_EQ(m.status, 503);
  EXPECT_NE(m.body.find("could not be stored: the disk is sick"), std::string::npos) << m.body;
}

TEST_F(OperatorTest, UnknownIdsAloneRetryNothing) {
  put("a", "db1");
  kill(1);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/retry", "nobody").body, "{\"changed\":0}\n");
  EXPECT_EQ(world.journal.fate("a", 0), "dead");
}

TEST_F(OperatorTest, DroppingNeedsIds) {
  put("a", "db1", 3);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/drop").status, 400);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/drop", " \n").status, 400);
  EXPECT_EQ(ask(root, "POST", "/v1/queue/drop?destination=spare", "a").body, "{\"changed\":1}\n");
  EXPECT_EQ(world.journal.fate("a", 0), "pending");
  EXPECT_EQ(world.journal.fate("a", 1), "expired");
}

TEST_F(OperatorTest, ADestinationIsPausedAndResumed) {
  EXPECT_EQ(ask(stranger, "POST", "/v1/queue/pause?destination=central").status, 403);
  EXPECT_EQ(ask(root, "GET", "/v1/queue/pause?destination=central").status, 405);
  EXPECT_FALSE(world.journal.stats().lanes[0].paused);
  json told = json::parse(ask(root, "POST", "/v1/queue/pause?destination=central").body);
  EXPECT_EQ(told["changed"], 1);
  EXPECT_EQ(told["paused_since"], format_rfc3339(world.now().wall));
  EXPECT_EQ(told["in_flight"], 0);
  EXPECT_TRUE(world.journal.stats().lanes[0].paused);
  EXPECT_FALSE(world.journal.stats().lanes[1].paused);
  told = json::parse(ask(root, "POST", "/v1/queue/pause?destination=central").body);
  EXPECT_EQ(told["changed"], 0);
  told = json::parse(ask(root, "POST", "/v1/queue/resume?destination=central").body);
  EXPECT_EQ(told["changed"], 1);
  EXPECT_TRUE(told["paused_since"].is_null());
}

TEST_F(OperatorTest, PausingWhatIsNotThereNamesWhatWasProbablyMeant) {
  Message m = ask(root, "POST", "/v1/queue/pause?destination=centrl");
  EXPECT_EQ(m.status, 404);
  EXPECT_EQ(
      json::parse(m.body)["error"],
      "no destination \"centrl\"; did you mean \"central\"? There are \"central\", \"spare\"");
  m = ask(root, "POST", "/v1/queue/resume?destination=nothing-like-it");
  EXPECT_EQ(json::parse(m.body)["error"],
            "no destination \"nothing-like-it\"; there are \"central\", \"spare\"");
  EXPECT_EQ(ask(root, "POST", "/v1/queue/pause").status, 400);
}

TEST_F(OperatorTest, APauseThatIsNotStoredIsNoSuccess) {
  world.journal.fail_pause = Error{Errc::unavailable, "disk I/O error"};
  Message m = ask(root, "POST", "/v1/queue/pause?destination=central");
  EXPECT_EQ(m.status, 503);
  EXPECT_NE(m.body.find("disk I/O error"), std::string::npos);
}

TEST_F(OperatorTest, HostileTargetsGetAnAnswer) {
  for (std::string target : {"/v1/queue?%", "/v1/queue?%zz=%4", "/v1/queue?=&&=&a", "/%ff%fe",
                             "/v1/queue?limit=-1&after=99999999999999999999"}) {
    Message m = ask(root, "GET", target);
    EXPECT_TRUE(json::accept(m.body)) << target;
  }
}

}  // namespace
}  // namespace checkrelay
