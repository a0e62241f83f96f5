#include "tests/plugins/dialects/groundwork/server.h"

namespace checkrelay::groundwork {
namespace {

Message good(const Message& m) { return results(m); }

TEST(GroundWorkOutbound, SendsWhatTheDocumentsSay) {
  Exchanges x;
  auto verdicts = x.run({result("db1")}, good);
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::delivered);
  ASSERT_EQ(x.asked.size(), 1U);
  const Message& m = x.asked[0];
  EXPECT_EQ(m.method, "POST");
  EXPECT_EQ(m.target, "https://gw.example.com/api/services?merge=true&async=false");
  EXPECT_EQ(*m.header("content-type"), "application/json");
  EXPECT_EQ(*m.header("accept"), "application/json");
  EXPECT_EQ(*m.header("gwos-app-name"), "checkrelay");
  EXPECT_EQ(token_of(m), "TOKEN-1");
  EXPECT_EQ(m.header("GWOS-API-TOKEN"), nullptr) << "a token is no ordinary header";
}

TEST(GroundWorkOutbound, OneLoginServesEveryConversation) {
  Exchanges x;
  for (int i = 0; i < 5; ++i) x.run({result("db1")}, good);
  EXPECT_EQ(x.logins.size(), 1U);
  EXPECT_EQ(x.asked.size(), 5U);
}

TEST(GroundWorkOutbound, HostsAndServicesTravelApartAndHostsFirst) {
  Exchanges x;
  auto verdicts = x.run({result("a"), result("a", ""), result("b"), result("b", "")}, good);
  EXPECT_EQ(count(verdicts, Judgement::delivered), 4U);
  ASSERT_EQ(x.asked.size(), 2U);
  EXPECT_EQ(x.asked[0].target, "https://gw.example.com/api/hosts?merge=true&async=false");
  EXPECT_EQ(items_of(x.asked[0]).size(), 2U);
  EXPECT_EQ(items_of(x.asked[1]).size(), 2U);
}

TEST(GroundWorkOutbound, ABatchStaysWithinItsBytes) {
  Options o = options();
  o.set("batch_bytes", 4000LL);
  Exchanges x(o);
  auto verdicts = x.run(services(50), good);
  EXPECT_EQ(count(verdicts, Judgement::delivered), 50U);
  EXPECT_GT(x.asked.size(), 2U);
  for (const Message& m : x.asked) EXPECT_LE(m.body.size(), 4000U);
}

TEST(GroundWorkOutbound, AnItemThatIsTooLongForABatchGoesAlone) {
  Options o = options();
  o.set("batch_bytes", 10LL);
  Exchanges x(o);
  EXPECT_EQ(count(x.run(services(3), good), Judgement::delivered), 3U);
  EXPECT_EQ(x.asked.size(), 3U);
}

TEST(GroundWorkOutbound, NamesThatMergeNeverShareABatch) {
  Exchanges x;
  auto verdicts = x.run({result("db1"), result("DB1"), result("db2")}, good);
  EXPECT_EQ(count(verdicts, Judgement::delivered), 3U);
  ASSERT_EQ(x.asked.size(), 2U);
  EXPECT_EQ(items_of(x.asked[0]).size(), 2U);
}

TEST(GroundWorkOutbound, MergeIsASetting) {
  Options o = options();
  o.set("merge", false);
  Exchanges x(o);
  x.run({result("db1", "")}, good);
  EXPECT_NE(x.asked.at(0).target.find("merge=false"), std::string::npos);
}

TEST(GroundWorkOutbound, AUrlThatEndsInTheApiIsTakenAsItIs) {
  Options o = options();
  o.set("url", std::string("http://gw:8080/foundation-webapp/api/"));
  Exchanges x(o);
  x.run({result("db1")}, good);
  EXPECT_TRUE(x.asked.at(0).target.starts_with("http://gw:8080/foundation-webapp/api/services?"));
}

TEST(GroundWorkOutbound, FailedItemsOfA200AreNotDelivered) {
  Exchanges x;
  auto verdicts = x.run({result("a"), result("b"), result("c")}, [](const Message& m) {
    return results(m, "success", {{"a:Backup", "failure"}, {"b:Backup", "warning"}});
  });
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::rejected);
  EXPECT_EQ(verdicts.at(1).judgement, Judgement::rejected);
  EXPECT_EQ(verdicts.at(2).judgement, Judgement::delivered);
}

TEST(GroundWorkOutbound, ItemsThatNoRowNamesAreSentAgain) {
  Exchanges x;
  int asked = 0;
  auto verdicts = x.run(services(4), [&](const Message& m) {
    if (++asked > 1) return results(m);
    return json(200, R"({"results":[{"entity":"h2:Backup","status":"success"}]})");
  });
  EXPECT_EQ(count(verdicts, Judgement::delivered), 4U);
  for (std::size_t i = 1; i < x.asked.size(); ++i)
    for (const auto& item : items_of(x.asked[i])) EXPECT_NE(entity(item), "h2:Backup");
}

TEST(GroundWorkOutbound, AnItemThatIsNeverNamedIsNotDelivered) {
  Exchanges x;
  auto verdicts = x.run(services(2), [](const Message&) { return json(200, R"({"results":[]})"); });
  EXPECT_EQ(count(verdicts, Judgement::transient), 2U);
}

TEST(GroundWorkOutbound, PoisonIsIsolatedAndAllOthersAreDelivered) {
  for (std::size_t at : {0U, 1U, 249U, 498U, 499U}) {
    auto batch = services(500);
    batch[at].output = "POISON";
    Exchanges x;
    auto verdicts = x.run(batch, [](const Message& m) {
      return m.body.find("POISON") != std::string::npos ? json(500, "{}") : results(m);
    });
    EXPECT_EQ(verdicts.size(), 500U);
    EXPECT_EQ(count(verdicts, Judgement::delivered), 499U);
    EXPECT_EQ(verdicts.at(at).judgement, Judgement::rejected) << at;
    EXPECT_LT(x.asked.size(), 30U);
    EXPECT_EQ(x.logins.size(), 1U);
  }
}

TEST(GroundWorkOutbound, ScatteredPoisonIsIsolatedToo) {
  for (int status : {400, 413, 422, 500}) {
    auto batch = services(64);
    for (std::size_t i = 3; i < 64; i += 13) batch[i].output = "POISON";
    Exchanges x;
    auto verdicts = x.run(batch, [&](const Message& m) {
      return m.body.find("POISON") != std::string::npos ? json(status, "{}") : results(m);
    });
    EXPECT_EQ(count(verdicts, Judgement::delivered), 59U) << status;
    EXPECT_EQ(count(verdicts, Judgement::rejected), 5U) << status;
  }
}

TEST(GroundWorkOutbound, AServerThatFailsAtEverythingCostsNoItemAndFewRequests) {
  for (auto [status, judgement] :
       std::initializer_list<std::pair<int, Judgement>>{{500, Judgement::transient},
                                                        {400, Judgement::config},
                                                        {413, Judgement::config},
                                                        {422, Judgement::config}}) {
    Exchanges x;
    auto verdicts =
        x.run(services(500), [status = status](const Message&) { return json(status, "broken"); });
    EXPECT_EQ(count(verdicts, judgement), 500U) << status;
    EXPECT_LT(x.asked.size(), 30U);
  }
}

TEST(GroundWorkOutbound, AServerThatFallsIllMidwayCostsNoItem) {
  Options o = options();
  o.set("batch_bytes", 1000LL);
  Exchanges x(o);
  int asked = 0;
  auto verdicts = x.run(services(40), [&](const Message& m) {
    return ++asked > 2 ? json(500, "broken") : results(m);
  });
  EXPECT_EQ(count(verdicts, Judgement::rejected), 0U);
  EXPECT_GT(count(verdicts, Judgement::delivered), 0U);
  EXPECT_EQ(verdicts.size(), 40U);
}

TEST(GroundWorkOutbound, ALoneItemThatFailsIsNotBlamed) {
  Exchanges x;
  auto verdicts = x.run(services(1), [](const Message&) { return json(500, "broken"); });
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::transient);
  EXPECT_EQ(x.asked.size(), 1U);
}

TEST(GroundWorkOutbound, WhatTheServerSaysOfTheWholeIsEverybodys) {
  for (auto [status, judgement] :
       std::initializer_list<std::pair<int, Judgement>>{{403, Judgement::auth},
                                                        {302, Judgement::config},
                                                        {404, Judgement::config},
                                                        {405, Judgement::config},
                                                        {406, Judgement::config},
                                                        {415, Judgement::config},
                                                        {408, Judgement::transient},
                                                        {425, Judgement::transient},
                                                        {429, Judgement::transient},
                                                        {502, Judgement::transient},
                                                        {503, Judgement::transient},
                                                        {504, Judgement::transient},
                                                        {507, Judgement::transient}}) {
    Exchanges x;
    auto verdicts = x.run(services(3), [status = status](const Message&) {
      Message m = json(status, "no");
      m.headers.push_back({"Retry-After", "7"});
      return m;
    });
    EXPECT_EQ(count(verdicts, judgement), 3U) << status;
    EXPECT_EQ(verdicts.at(0).retry_after, Duration(std::chrono::seconds(7))) << status;
    EXPECT_EQ(x.asked.size(), 1U);
  }
}

TEST(GroundWorkOutbound, AnEmptyOrForeign200IsNoSuccess) {
  for (const char* body : {"", "{}", "<html></html>", "[]", "true", R"({"results":7})"}) {
    Exchanges x;
    auto verdicts = x.run(services(2), [&](const Message&) { return json(200, body); });
    EXPECT_EQ(count(verdicts, Judgement::transient), 2U) << body;
  }
}

TEST(GroundWorkOutbound, WhatNoItemCanCarryNeverTravels) {
  Exchanges x;
  auto verdicts = x.run({result("a\nb"), result(std::string(255, 'x')), result("good")}, good);
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::rejected);
  EXPECT_TRUE(verdicts.at(0).local);
  EXPECT_EQ(verdicts.at(1).judgement, Judgement::rejected);
  EXPECT_EQ(verdicts.at(2).judgement, Judgement::delivered);
  EXPECT_EQ(items_of(x.asked.at(0)).size(), 1U);
}

TEST(GroundWorkOutbound, AnAnswerThatIsTooLongHalvesTheBatch) {
  Exchanges x;
  auto verdicts = x.run(services(8), [](const Message& m) {
    if (items_of(m).size() > 2) return Message::failure(Trouble::too_large, "too long");
    return results(m);
  });
  EXPECT_EQ(count(verdicts, Judgement::delivered), 8U);
}

TEST(GroundWorkOutbound, SecretsStayOutOfTheWords) {
  Exchanges x;
  auto verdicts = x.run(services(1), [](const Message& m) {
    return json(503, "hunter2-secret aHVudGVyMi1zZWNyZXQ= " + token_of(m));
  });
  EXPECT_EQ(verdicts.at(0).answer, "HTTP 503: [secret] [secret] [secret]");
}

}  // namespace
}  // namespace checkrelay::groundwork
