#include "tests/plugins/dialects/opsview/server.h"

namespace checkrelay::opsview {
namespace {

class OpsviewOutbound : public Server {
 protected:
  Exchange signed_in(const std::vector<CheckResult>& batch, const std::string& form = "detail") {
    use(form);
    Exchange e = open(batch);
    let_in(e);
    return e;
  }
  // The verdict on one result whose object is known and whose submission is answered so.
  Verdict submitted(int status, const std::string& body, const std::string& form = "detail") {
    Exchange e = signed_in({result("db1")}, form);
    if (form == "detail") answer(e, 200, object("db1"));
    answer(e, status, body);
    if (!e.closed && e.last() == "GET /rest/reload") answer(e, 200, kRunning);  // after a miss
    EXPECT_TRUE(e.closed) << body << " " << e.last();
    EXPECT_EQ(e.verdicts.size(), 1U);
    return e.verdicts.empty() ? Verdict{} : e.verdicts[0];
  }
};

TEST_F(OpsviewOutbound, DetailLooksUpOnceAndThenTrustsSuccess) {
  Exchange e = signed_in({result("db1"), result("db1", "Disk"), result("db1")});
  EXPECT_EQ(e.last(), "GET /rest/detail?hostname=db1&servicename=Backup");
  answer(e, 200, object("db1"));
  EXPECT_EQ(e.last(), "POST /rest/detail?hostname=db1&servicename=Backup");
  answer(e, 200, kSuccess);
  EXPECT_EQ(e.last(), "GET /rest/detail?hostname=db1&servicename=Disk");
  answer(e, 200, object("db1", "Disk"));
  answer(e, 200, R"({"success":1})");
  EXPECT_EQ(e.last(), "POST /rest/detail?hostname=db1&servicename=Backup");
  answer(e, 200, kSuccess);
  EXPECT_TRUE(e.closed);
  ASSERT_EQ(e.verdicts.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(e.verdicts[i].item, i);
    EXPECT_EQ(e.verdicts[i].judgement, Judgement::delivered);
  }
}

TEST_F(OpsviewOutbound, StatusNeedsNoLookupSinceItsAnswerNamesTheObject) {
  Exchange e = signed_in({result("db1")}, "status");
  EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Backup");
  answer(
      e, 200,
      R"({"summary":{"num_hosts":"0","num_services":"1"},"list":{"hosts":[],"services":[{"id":"42","hostname":"db1","servicename":"Backup"}]}})");
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::delivered);
  EXPECT_TRUE(e.closed);
}

TEST_F(OpsviewOutbound, StatusIsLookedUpWhereANameMayBeAWildcard) {
  Exchange e = signed_in({result("db_1")}, "status");
  EXPECT_EQ(e.last(), "GET /rest/detail?hostname=db_1&servicename=Backup");
  answer(
      e, 200,
      R"({"list":[{"hostname":"db_1","servicename":"Backup"},{"hostname":"dbx1","servicename":"Backup"}]})");
  ASSERT_TRUE(e.closed);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::rejected);
  EXPECT_EQ(e.verdicts[0].answer, "this name selects other objects, too");
}

TEST_F(OpsviewOutbound, StatusDoesWithoutALookupThatTheServerDoesNotHave) {
  Exchange e = signed_in({result("db_1"), result("db_2")}, "status");
  answer(e, 404, "<html>not found</html>");
  EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db_1&svc.servicename=Backup");
  answer(e, 200,
         R"({"list":{"hosts":[],"services":[{"hostname":"db_1","servicename":"Backup"}]}})");
  EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db_2&svc.servicename=Backup");
}

TEST_F(OpsviewOutbound, ZeroObjectsAreNoDelivery) {
  const char* nothing = R"({"summary":{"num_services":"0"},"list":{"hosts":[],"services":[]}})";
  EXPECT_EQ(submitted(200, nothing, "status").judgement, Judgement::unknown_object);
  EXPECT_EQ(submitted(200, nothing, "detail").judgement, Judgement::unknown_object);
  EXPECT_EQ(submitted(400, kNoObjects, "status").judgement, Judgement::unknown_object);
  EXPECT_EQ(submitted(400, kNoObjects, "detail").judgement, Judgement::unknown_object);
}

TEST_F(OpsviewOutbound, MoreThanTheOneObjectIsNoDelivery) {
  Verdict v = submitted(
      200,
      R"({"list":{"hosts":[],"services":[{"hostname":"db1","servicename":"A"},{"hostname":"db1","servicename":"Backup"}]}})",
      "status");
  EXPECT_EQ(v.judgement, Judgement::rejected);
}

TEST_F(OpsviewOutbound, OtherAnswersAreNoConfirmation) {
  for (const char* body : {"{}", "", "<html>", R"({"success":"0"})", R"({"rest":null})", "[]"}) {
    EXPECT_EQ(submitted(200, body).judgement, Judgement::transient) << body;
    EXPECT_EQ(submitted(200, body, "status").judgement, Judgement::transient) << body;
  }
  EXPECT_EQ(submitted(200, kSuccess, "status").judgement, Judgement::transient);
}

TEST_F(OpsviewOutbound, WrapperIsUnwrapped) {
  EXPECT_EQ(submitted(200, R"({"rest":{"success":"1"}})").judgement, Judgement::delivered);
}

TEST_F(OpsviewOutbound, ErrorsHaveTheirClasses) {
  EXPECT_EQ(submitted(400, R"({"message":"Error validating set_state parameters"})").judgement,
            Judgement::rejected);
  EXPECT_EQ(submitted(500, "Deadlock found").judgement, Judgement::transient);
  EXPECT_EQ(submitted(307, "").judgement, Judgement::config);
  EXPECT_EQ(submitted(404, "<html>").judgement, Judgement::config);
  EXPECT_EQ(submitted(503, "").judgement, Judgement::transient);
}

TEST_F(OpsviewOutbound, AnItemsFaultGoesOnWithTheNext) {
  Exchange e = signed_in({result("db1"), result("a%"), result("db1", "Disk")}, "status");
  answer(e, 400, R"({"message":"Error validating status parameters"})");
  EXPECT_EQ(e.last(), "POST /rest/status?svc.hostname=db1&svc.servicename=Disk");
  ASSERT_EQ(e.verdicts.size(), 2U);
  EXPECT_EQ(e.verdicts[1].item, 1U);
  EXPECT_EQ(e.verdicts[1].judgement, Judgement::rejected);
  EXPECT_TRUE(e.verdicts[1].local);
}

TEST_F(OpsviewOutbound, TheServersTroubleEndsTheBatch) {
  Exchange e = signed_in({result("db1"), result("db2"), result("db3")}, "status");
  answer(e, 503, "");
  EXPECT_TRUE(e.closed);
  ASSERT_EQ(e.verdicts.size(), 3U);
  EXPECT_EQ(e.verdicts[2].item, 2U);
}

TEST_F(OpsviewOutbound, WhatCannotBeAddressedNeedsNoServer) {
  Exchange e = open({result("100%")});
  EXPECT_TRUE(e.closed);
  EXPECT_TRUE(e.asked.empty());
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::rejected);
}

TEST_F(OpsviewOutbound, ALookupThatNamesNothingIsNoMiss) {
  Exchange e = signed_in({result("db1")});
  answer(e, 200, "{}");
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::transient);
}

TEST_F(OpsviewOutbound, AMissForgetsTheObject) {
  Exchange first = signed_in({result("db1")});
  answer(first, 200, object("db1"));
  answer(first, 400, kNoObjects);
  Exchange second = open({result("db1")});
  EXPECT_EQ(second.last(), "GET /rest/detail?hostname=db1&servicename=Backup");
}

class OpsviewProbe : public Server {
 protected:
  OpsviewProbe() {
    e.conversation = outbound->probe();
    Actions out;
    e.conversation->start(now, out);
    e.take(std::move(out));
    answer(e, 200, kVersions);
    answer(e, 200, kToken);
  }
  Exchange e;
};

TEST_F(OpsviewProbe, SaysWhoAnswersAndWhatTheUserMay) {
  EXPECT_EQ(e.last(), "GET /rest/info");
  answer(e, 200, R"({"opsview_version":"6.8.9"})");
  EXPECT_EQ(e.last(), "GET /rest/user");
  answer(e, 200, R"({"access_list":{"ACTIONALL":"1"}})");
  EXPECT_EQ(e.last(), "GET /rest/reload");
  answer(e, 200, kRunning);
  EXPECT_EQ(e.last(), "DELETE /rest/login");
  answer(e, 500, "");
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.verdicts.at(0).judgement, Judgement::delivered);
  EXPECT_EQ(e.verdicts[0].answer, "Opsview 6.8.9; may submit results");
}

TEST_F(OpsviewProbe, SaysWhereRightsAreMissing) {
  answer(e, 200, R"({"opsview_version":"6.8.9"})");
  answer(e, 200, R"({"access_list":{"RELOADVIEW":"1"}})");
  answer(e, 200, kRunning);
  answer(e, 200, "{}");
  EXPECT_NE(e.verdicts.at(0).answer.find("neither ACTIONALL nor ACTIONSOME"), std::string::npos);
}

TEST(OpsviewOptions, FaultsAreNamed) {
  auto fault = [](std::string_view name, Options::Value value) {
    Options o = options();
    o.set(name, std::move(value));
    auto made = opsview_dialect().outbound(o);
    return made ? std::string() : made.error().what;
  };
  EXPECT_TRUE(fault("url", std::string("http://h/?a=b")).starts_with("url: "));
  EXPECT_TRUE(fault("username", std::string("a\r\nb")).starts_with("username: "));
  EXPECT_TRUE(fault("username", std::string()).starts_with("username: "));
  EXPECT_TRUE(fault("text_limit", 63LL).starts_with("text_limit: "));
  EXPECT_EQ(fault("text_limit", 64LL), "");
}

TEST(OpsviewTraits, FollowTheContract) {
  auto traits = opsview_dialect().traits();
  ASSERT_TRUE(traits);
  EXPECT_EQ(traits->backlog, "latest");
  EXPECT_FALSE(traits->takes_times);
  EXPECT_EQ(traits->batch_max, 1U);
  EXPECT_EQ(traits->timeout, Duration(std::chrono::seconds(30)));
}

}  // namespace
}  // namespace checkrelay::opsview
