#include <gtest/gtest.h>

#include "plugins/dialects/opsview/wire.h"

namespace checkrelay::opsview {
namespace {

using Sense = Answer::Sense;

Answer answer(int status, std::string body) {
  return read_answer(Message::response(status, std::move(body), "application/json"), Wall{});
}
Data of_json(std::string_view json) { return parse_json(json).value(); }

TEST(OpsviewAnswer, AnObjectWithoutAMessageIsGood) {
  EXPECT_EQ(answer(200, R"({"success":"1"})").sense, Sense::good);
  EXPECT_EQ(answer(200, R"({"success":1,})").sense, Sense::good);
  EXPECT_EQ(answer(200, "{}").sense, Sense::good);
}

TEST(OpsviewAnswer, WhatIsNoJsonIsNoConfirmation) {
  for (const char* body : {"", "<html></html>", "OK", "[1]", "null", "{", R"({"message":"no"})"}) {
    Answer a = answer(200, body);
    EXPECT_EQ(a.sense, Sense::bad) << body;
    EXPECT_EQ(a.judgement, Judgement::transient) << body;
  }
}

TEST(OpsviewAnswer, EveryStatusHasItsClass) {
  const std::string body = R"({"message":"x"})";
  auto judgement = [&](int status) { return answer(status, body).judgement; };
  for (int status : {400, 413, 422}) EXPECT_EQ(judgement(status), Judgement::rejected) << status;
  for (int status : {301, 302, 307, 308, 404, 405, 406, 407, 415})
    EXPECT_EQ(judgement(status), Judgement::config) << status;
  for (int status : {408, 425, 429, 500, 502, 503, 504, 201, 100})
    EXPECT_EQ(judgement(status), Judgement::transient) << status;
  EXPECT_EQ(judgement(403), Judgement::auth);
  EXPECT_EQ(answer(403, body).sense, Sense::bad);
  EXPECT_EQ(answer(401, body).sense, Sense::expired);
  EXPECT_EQ(answer(409, body).sense, Sense::reloading);
}

TEST(OpsviewAnswer, TextsTellApartWhatHasOneStatus) {
  EXPECT_EQ(answer(400, R"({"message":"No objects chosen for x"})").sense, Sense::miss);
  EXPECT_EQ(answer(400, "Errors setting state").judgement, Judgement::transient);
  EXPECT_EQ(answer(400, "Error when searching for objects").judgement, Judgement::transient);
  EXPECT_EQ(answer(400, "<html>proxy</html>").judgement, Judgement::transient);
  EXPECT_EQ(answer(400, "Content-Type application/json had a problem").judgement,
            Judgement::rejected);
  EXPECT_EQ(answer(400, "DBI: DeadLock found").judgement, Judgement::transient);
  EXPECT_EQ(answer(500, R"({"message":"x","server_status":1})").sense, Sense::reloading);
}

TEST(OpsviewAnswer, AlwaysReturn200IsUnwrapped) {
  EXPECT_TRUE(succeeded(answer(200, R"({"rest":{"success":"1"}})").data));
  EXPECT_EQ(answer(200, R"({"rest":null})").sense, Sense::bad);
  EXPECT_EQ(answer(200, R"({"rest":{"message":"Not authenticated"}})").sense, Sense::expired);
  EXPECT_EQ(answer(200, R"({"rest":{"message":"Access denied"}})").judgement, Judgement::auth);
  EXPECT_EQ(answer(200, R"({"rest":{"message":"No objects chosen"}})").sense, Sense::miss);
  EXPECT_EQ(answer(200, R"({"rest":{"message":"what"}})").judgement, Judgement::transient);
}

TEST(OpsviewAnswer, TroubleIsJudgedByWhatItIs) {
  auto trouble = [](Trouble t) { return read_answer(Message::failure(t, "words"), Wall{}); };
  EXPECT_EQ(trouble(Trouble::tls).judgement, Judgement::config);
  EXPECT_EQ(trouble(Trouble::timeout).judgement, Judgement::transient);
  EXPECT_EQ(trouble(Trouble::timeout).words, "words");
  EXPECT_EQ(read_answer(Message::bytes("x"), Wall{}).judgement, Judgement::transient);
}

TEST(OpsviewAnswer, WordsAreTheServers) {
  EXPECT_EQ(answer(400, R"({"message":"a","detail":"b"})").words, "HTTP 400: a: b");
  EXPECT_EQ(answer(502, "bad gateway").words, "HTTP 502: bad gateway");
  Message moved = Message::response(307, "", "text/html");
  moved.headers.push_back({"Location", "https://h/login"});
  EXPECT_EQ(read_answer(moved, Wall{}).words, "HTTP 307 to https://h/login");
}

TEST(OpsviewAnswer, MessagesHaveThreeShapes) {
  EXPECT_EQ(answer(409, R"({"server_status":"1","messages":"running"})").words,
            "HTTP 409: running");
  EXPECT_EQ(answer(409, R"({"messages":["a","b"]})").words, "HTTP 409: a: b");
  EXPECT_EQ(
      answer(400, R"({"messages":[{"detail":"d","severity":"warning","monitoringserver":"m"}]})")
          .words,
      "HTTP 400: warning: m: d");
}

TEST(OpsviewAnswer, RetryAfterIsKeptWhereWaitingHelps) {
  auto wish = [](int status) {
    Message m = Message::response(status, "{}", "application/json");
    m.headers.push_back({"Retry-After", "7"});
    return read_answer(m, Wall{}).retry_after;
  };
  EXPECT_EQ(wish(503), Duration(std::chrono::seconds(7)));
  EXPECT_EQ(wish(409), Duration(std::chrono::seconds(7)));
  EXPECT_FALSE(wish(400));
}

TEST(OpsviewSelection, OneObjectOfThatNameAndNoOther) {
  const Subject backup{"db1", "Backup"};
  auto of = [&](std::string_view json) { return selected(of_json(json), backup); };
  EXPECT_EQ(of(R"({"object":{"hostname":"db1","servicename":"Backup","state":0}})"),
            Selection::exact);
  EXPECT_EQ(
      of(R"({"list":{"hosts":[],"services":[{"id":42,"hostname":"DB1","servicename":"backup"}]}})"),
      Selection::exact);
  EXPECT_EQ(of(R"({"list":[{"hostname":"db1","servicename":"Backup"}]})"), Selection::exact);
  EXPECT_EQ(of(R"({"list":{"hosts":[],"services":[]}})"), Selection::none);
  EXPECT_EQ(of(R"({"list":[]})"), Selection::none);
  EXPECT_EQ(of(R"({"object":{"hostname":"db1"}})"), Selection::others);
  EXPECT_EQ(of(R"({"object":{"hostname":"db2","servicename":"Backup"}})"), Selection::others);
  EXPECT_EQ(
      of(R"({"list":[{"hostname":"db1","servicename":"Backup"},{"hostname":"db1","servicename":"Backup2"}]})"),
      Selection::others);
  EXPECT_EQ(of(R"({"success":"1"})"), Selection::untold);
  EXPECT_EQ(of("{}"), Selection::untold);
}

TEST(OpsviewSelection, HostsAreNamedWithoutAService) {
  const Subject host{"db1", ""};
  EXPECT_EQ(selected(of_json(R"({"object":{"hostname":"db1"}})"), host), Selection::exact);
  EXPECT_EQ(selected(of_json(R"({"list":{"hosts":[{"name":"db1"}],"services":[]}})"), host),
            Selection::exact);
  EXPECT_EQ(selected(of_json(R"({"object":{"hostname":"db1","servicename":"x"}})"), host),
            Selection::others);
}

TEST(OpsviewSuccess, IsOneInAnyForm) {
  for (const char* yes : {R"({"success":"1"})", R"({"success":1})", R"({"success":true})"})
    EXPECT_TRUE(succeeded(of_json(yes))) << yes;
  for (const char* no : {R"({"success":"0"})", R"({"success":null})", R"({"success":[1]})", "{}"})
    EXPECT_FALSE(succeeded(of_json(no))) << no;
}

TEST(OpsviewReload, IsReadFromTextsAndNumbers) {
  for (
      const char* json :
      {R"({"server_status":"4","configuration_status":"pending","average_duration":"30","lastupdated":"15"})",
       R"({"server_status":4,"configuration_status":"pending","average_duration":30,"lastupdated":15})"}) {
    auto status = read_reload(of_json(json));
    ASSERT_TRUE(status);
    EXPECT_EQ(status->server_status, 4);
    EXPECT_TRUE(status->pending);
    EXPECT_EQ(status->average_duration, Duration(std::chrono::seconds(30)));
    EXPECT_EQ(status->last_updated, "15");
  }
  EXPECT_FALSE(read_reload(of_json("{}")));
  EXPECT_FALSE(read_reload(of_json(R"({"server_status":null})")));
}

TEST(OpsviewToken, IsOpaqueButFitForAHeader) {
  EXPECT_EQ(read_token(of_json(R"({"token":"0a1b"})"))->reveal(), "0a1b");
  EXPECT_FALSE(read_token(of_json("{}")));
  EXPECT_FALSE(read_token(of_json(R"({"token":""})")));
  EXPECT_FALSE(read_token(of_json(R"({"token":"a\r\nX: y"})")));
  EXPECT_FALSE(read_token(of_json("{\"token\":\"" + std::string(2000, 'a') + "\"}")));
}

TEST(OpsviewVersion, ALaterLeastVersionIsTooNew) {
  for (const char* fine : {R"({"api_min_version":"2.000"})", R"({"api_min_version":2})", "{}",
                           R"({"api_min_version":"6.012"})", R"({"api_min_version":""})"})
    EXPECT_FALSE(too_new(of_json(fine))) << fine;
  auto reason = too_new(of_json(R"({"api_min_version":"7.0"})"));
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("\"7.0\""), std::string::npos);
}

}  // namespace
}  // namespace checkrelay::opsview
