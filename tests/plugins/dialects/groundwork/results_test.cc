#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins/dialects/groundwork/batches.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

std::vector<Row> rows_of(std::initializer_list<std::pair<const char*, const char*>> list) {
  std::vector<Row> rows;
  for (const auto& [entity, status] : list) rows.push_back({status, entity, ""});
  return rows;
}

std::string pairs(const std::vector<std::string>& entities, const std::vector<Row>& rows) {
  std::string out;
  for (auto place : pair_rows(entities, rows)) out += place ? std::to_string(*place) : "-";
  return out;
}

TEST(GroundWorkResults, AreReadWhateverTheCountersAreCalled) {
  for (const char* head : {R"("successful":1,"failed":1,"warning":0,"count":2,)",
                           R"("success":1,"failure":1,"count":2,)", R"("count":"2",)", ""}) {
    auto rows =
        read_results(std::string("{") + head +
                         R"*("results":[{"entity":"db1:Backup","status":"success","location":"x"},
                                 {"entity":"(Unknown)","status":"FAILURE","message":"no"}]})*",
                     "application/json");
    ASSERT_TRUE(rows) << head;
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ((*rows)[0].entity, "db1:Backup");
    EXPECT_EQ((*rows)[1].status, "failure");
    EXPECT_EQ((*rows)[1].message, "no");
  }
}

TEST(GroundWorkResults, AreReadAsXml) {
  const std::string body =
      R"(<?xml version="1.0"?><results count="2" success="1" failure="1" entityType="Host">
      <result status="failure" message="Duplicate &amp; more" entity="host33"/>
      <result status="success" entity="host34" location="http://x"/></results>)";
  for (const char* type : {"application/xml", "text/xml;charset=UTF-8", "", "text/plain"}) {
    auto rows = read_results(body, type);
    ASSERT_TRUE(rows) << type;
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ((*rows)[0].message, "Duplicate & more");
    EXPECT_EQ((*rows)[1].status, "success");
  }
}

TEST(GroundWorkResults, JsonUnderAWrongTypeIsRead) {
  EXPECT_TRUE(read_results(R"({"results":[]})", "application/xml"));
}

TEST(GroundWorkResults, ARowByItselfIsAListOfOne) {
  auto rows = read_results(R"({"results":{"entity":"a","status":"success"}})", "application/json");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 1U);
}

TEST(GroundWorkResults, WhatIsNoResultsDocumentIsNone) {
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        std::string("<html></html>"), std::string("<results"), std::string("<results count=4"),
        std::string(R"({"results":[1]})"), std::string(R"({"results":"success"})"),
        std::string(1 << 20, '['), std::string(1 << 20, '<'),
        std::string("<results count='4' entityType=\u2019Host\u2019/>")}) {
    EXPECT_FALSE(read_results(body, "application/json")) << body.substr(0, 40);
  }
}

TEST(GroundWorkResults, EntitiesOfXmlAreNotExpanded) {
  auto rows = read_results(
      R"(<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><results><result entity="&x;"/></results>)",
      "application/xml");
  if (rows) {
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ((*rows)[0].entity, "&x;");
  }
}

TEST(GroundWorkRows, InOrderArePairedByPlaceWhateverFailedOnesAreCalled) {
  EXPECT_EQ(pairs({"a", "b", "c"},
                  rows_of({{"a", "success"}, {"(Unknown)", "failure"}, {"c", "success"}})),
            "012");
  EXPECT_EQ(pairs({"A"}, rows_of({{" a ", "success"}})), "0");
}

TEST(GroundWorkRows, ReorderedArePairedByName) {
  EXPECT_EQ(pairs({"a", "b", "c"}, rows_of({{"c", "success"}, {"b", "success"}, {"a", "failure"}})),
            "210");
}

TEST(GroundWorkRows, ExtraOnesAreNobodys) {
  EXPECT_EQ(pairs({"a", "b"}, rows_of({{"x", "success"}, {"a", "success"}, {"b", "success"}})),
            "12");
}

TEST(GroundWorkRows, MissingOnesAcknowledgeNothing) {
  EXPECT_EQ(pairs({"a", "b"}, rows_of({{"b", "success"}})), "-0");
  EXPECT_EQ(pairs({"a", "b"}, {}), "--");
}

TEST(GroundWorkRows, OfAnotherItemNeverAcknowledgeOne) {
  EXPECT_EQ(pairs({"a"}, rows_of({{"b", "success"}})), "-");
  EXPECT_EQ(pairs({"a", "b"}, rows_of({{"a", "success"}, {"a", "success"}})), "--");
}

TEST(GroundWorkRows, NamesMayHoldTheSeparator) {
  EXPECT_EQ(entity_of({"a:b", "c:d"}), "a:b:c:d");
  EXPECT_EQ(pairs({"a:b:c", "x"}, rows_of({{"x", "success"}, {"a:b:c", "success"}})), "10");
}

TEST(GroundWorkRow, IsDeliveredBySuccessAlone) {
  auto judge = [](const char* status, const char* message = "") {
    return judge_row({status, "a", message});
  };
  EXPECT_EQ(judge("success"), Judgement::delivered);
  EXPECT_EQ(judge("warning", "host not merged"), Judgement::rejected);
  EXPECT_EQ(judge("failure", "Duplicate hostname already exists"), Judgement::rejected);
  EXPECT_EQ(judge("failure", "Deadlock found when trying to get lock"), Judgement::transient);
  EXPECT_EQ(judge("failure", "statement timed out"), Judgement::transient);
  EXPECT_EQ(judge(""), Judgement::transient);
  EXPECT_EQ(judge("succes"), Judgement::transient);
}

TEST(GroundWorkReport, IsReadBackInBothFormats) {
  const std::vector<Report> reports{{"success", "a<b>&\"", "", "/api/hosts/a"},
                                    {"failure", "(Unknown)", "hostName: missing\n", ""},
                                    {"warning", "c", "not merged", ""}};
  for (bool xml : {false, true}) {
    const std::string body = write_results(reports, true, xml);
    auto rows = read_results(body, xml ? "application/xml" : "application/json");
    ASSERT_TRUE(rows) << body;
    ASSERT_EQ(rows->size(), 3U);
    EXPECT_EQ((*rows)[0].entity, "a<b>&\"");
    EXPECT_EQ((*rows)[1].status, "failure");
    EXPECT_NE(body.find("\"Host\""), std::string::npos);
  }
  auto document = nlohmann::json::parse(write_results(reports, false, false));
  EXPECT_EQ(document.at("successful"), 1);
  EXPECT_EQ(document.at("failed"), 1);
  EXPECT_EQ(document.at("warning"), 1);
  EXPECT_EQ(document.at("count"), 3);
  EXPECT_EQ(document.at("entityType"), "ServiceStatus");
}

TEST(GroundWorkResults, OneRowIsNotTheSuccessOfTwoItems) {
  const std::vector<std::vector<std::string>> twins = {
      {"db1:Disk", "db1:disk"}, {"a:b:c", "a:b:c"}, {"db1:Disk", "db1:Disk "}};
  for (const auto& sent : twins) EXPECT_EQ(entity_key(sent[0]), entity_key(sent[1]));
  auto batch = std::vector<CheckResult>{};
  for (const char* service : {"Disk", "disk", "Disk "}) {
    CheckResult& r = batch.emplace_back();
    r.subject = {"db1", service};
  }
  Settings settings;
  settings.batch_bytes = 1'000'000;
  std::vector<Verdict> settled;
  Batches batches(settings, batch, settled);
  std::size_t cut = 0;
  while (batches.next()) {
    ++cut;
    EXPECT_EQ(batches.size(), 1U);
    batches.settle();
  }
  EXPECT_EQ(cut + settled.size(), 3U);
}

TEST(GroundWorkResults, FailuresThatNameAnotherItemAreNotTakenByPlace) {
  EXPECT_EQ(pairs({"a", "b"}, rows_of({{"b", "failure"}, {"a", "failure"}})), "10");
  EXPECT_EQ(pairs({"a", "b"}, rows_of({{"(Unknown)", "failure"}, {"b", "success"}})), "01");
}

}  // namespace
}  // namespace checkrelay::groundwork
