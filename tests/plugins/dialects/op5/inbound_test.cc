#include <gtest/gtest.h>

#include "plugins/dialects/op5/conversations.h"
#include "plugins/dialects/op5/dialect.h"

namespace checkrelay {
namespace {

constexpr const char* kService = "/api/command/PROCESS_SERVICE_CHECK_RESULT";
constexpr const char* kHost = "/api/command/PROCESS_HOST_CHECK_RESULT";
constexpr const char* kGood =
    R"({"host_name":"db1","service_description":"Backup","status_code":"2","plugin_output":"bad|t=1s"})";

class Op5Inbound : public testing::Test {
 protected:
  Op5Inbound() { open({.framing = Framing::http}); }
  void open(const InboundContext& context) { conversation_ = op5_dialect().inbound(context); }

  Actions request(const std::string& target, const std::string& body,
                  const std::string& method = "POST",
                  const std::string& type = "application/json") {
    Message m = Message::request(method, target, body);
    m.headers.push_back({"Content-Type", type});
    Actions out;
    conversation_->receive(std::move(m), {}, out);
    return out;
  }
  Actions settle(Ticket ticket, const Outcome& outcome) {
    Actions out;
    conversation_->settle(ticket, std::span(&outcome, 1), {}, out);
    return out;
  }
  // What a request was refused with; the status, or 0 where it was not.
  int refused(const std::string& target, const std::string& body,
              const std::string& method = "POST") {
    Actions out = request(target, body, method);
    if (out.send.size() != 1 || !out.submit.empty() || out.refused.size() != 1) return 0;
    last_ = out.send[0];
    return last_.status;
  }

  std::unique_ptr<Conversation> conversation_;
  Message last_;
};

TEST_F(Op5Inbound, SaysNothingBeforeSettle) {
  Actions out = request(kService, kGood);
  EXPECT_TRUE(out.send.empty());
  ASSERT_EQ(out.submit.size(), 1U);
  ASSERT_EQ(out.submit[0].results.size(), 1U);
  const CheckResult& r = out.submit[0].results[0];
  EXPECT_EQ(r.subject, (Subject{"db1", "Backup"}));
  EXPECT_EQ(r.state, 2);
  EXPECT_EQ(r.output, "bad");
  EXPECT_EQ(r.perfdata, "t=1s");
}

// The how-to's curl call as printed: its continuations are inside single quotes, so the shell sends
// them.
TEST_F(Op5Inbound, TakesTheHowTosCallWithItsLineContinuations) {
  const std::string body =
      "{\"host_name\":\"example_host_1\",\"service_description\":\"Example service\",\\\n"
      "\"status_code\":\"2\",\"plugin_output\":\"Example \\\\ issue\"}";
  Actions out = request(kService, body);
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].subject, (Subject{"example_host_1", "Example service"}));
  EXPECT_EQ(out.submit[0].results[0].output, "Example \\ issue");
}

TEST_F(Op5Inbound, ABackslashAndLineEndInsideATextStaysAFault) {
  EXPECT_EQ(refused(kService,
                    "{\"host_name\":\"a\\\nb\",\"service_description\":\"s\",\"status_code\":0}"),
            400);
}

TEST_F(Op5Inbound, AnswersAsOp5Does) {
  Ticket ticket = request(kService, kGood).submit.at(0).ticket;
  Actions out = settle(ticket, {.ok = true, .id = "x"});
  ASSERT_EQ(out.send.size(), 1U);
  EXPECT_EQ(out.send[0].status, 200);
  EXPECT_EQ(out.send[0].body,
            R"({"result":"Successfully submitted PROCESS_SERVICE_CHECK_RESULT"})");
  ASSERT_NE(out.send[0].header("content-type"), nullptr);
  EXPECT_EQ(*out.send[0].header("content-type"), "application/json");
  EXPECT_FALSE(out.close);
}

TEST_F(Op5Inbound, HostCommandNeedsNoService) {
  Actions out =
      request(std::string(kHost) + "?format=json", R"({"host_name":"db1","status_code":1})");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_TRUE(out.submit[0].results[0].subject.is_host());
  EXPECT_EQ(out.submit[0].results[0].state, 1);
  EXPECT_EQ(settle(out.submit[0].ticket, {.ok = true}).send.at(0).body,
            R"({"result":"Successfully submitted PROCESS_HOST_CHECK_RESULT"})");
}

TEST_F(Op5Inbound, SettlementBecomesAStatus) {
  for (auto [code, status] : std::initializer_list<std::pair<Errc, int>>{{Errc::invalid, 400},
                                                                         {Errc::refused, 403},
                                                                         {Errc::full, 507},
                                                                         {Errc::unavailable, 503},
                                                                         {Errc::corrupt, 503}}) {
    Ticket ticket = request(kService, kGood).submit.at(0).ticket;
    Actions out = settle(ticket, {.ok = false, .code = code, .error = "host: \"x\" is not yours"});
    ASSERT_EQ(out.send.size(), 1U);
    EXPECT_EQ(out.send[0].status, status);
    EXPECT_NE(out.send[0].body.find(R"("full_error":"host: \"x\" is not yours")"),
              std::string::npos)
        << out.send[0].body;
  }
}

TEST_F(Op5Inbound, AnswersLeaveInTheOrderOfTheRequests) {
  Ticket first = request(kService, kGood).submit.at(0).ticket;
  Ticket second = request(kHost, R"({"host_name":"h","status_code":"0"})").submit.at(0).ticket;
  EXPECT_TRUE(request(kService, "{").send.empty());
  EXPECT_TRUE(settle(second, {.ok = true}).send.empty());
  Actions out = settle(first, {.ok = true});
  ASSERT_EQ(out.send.size(), 3U);
  EXPECT_NE(out.send[0].body.find("SERVICE"), std::string::npos);
  EXPECT_NE(out.send[1].body.find("HOST"), std::string::npos);
  EXPECT_EQ(out.send[2].status, 400);
}

TEST_F(Op5Inbound, FinishWaitsForWhatIsOwed) {
  Ticket ticket = request(kService, kGood).submit.at(0).ticket;
  Actions finish;
  conversation_->finish({}, finish);
  EXPECT_FALSE(finish.close);
  EXPECT_TRUE(settle(ticket, {.ok = true}).close);
}

TEST_F(Op5Inbound, UnknownTicketIsIgnored) {
  (void)request(kService, kGood);
  EXPECT_TRUE(settle(99, {.ok = true}).send.empty());
}

TEST_F(Op5Inbound, WithoutCredentialsAsksForThem) {
  open({.framing = Framing::http, .authenticated = false, .auth_error = "unknown user"});
  EXPECT_EQ(refused(kService, kGood), 401);
  ASSERT_NE(last_.header("WWW-Authenticate"), nullptr);
  EXPECT_TRUE(last_.header("WWW-Authenticate")->starts_with("Basic realm="));
  EXPECT_EQ(last_.body, R"({"error":"Unauthorized","full_error":"unknown user"})");
}

TEST_F(Op5Inbound, OtherCommandsAreNotFound) {
  EXPECT_EQ(refused("/api/command/ACKNOWLEDGE_SVC_PROBLEM", kGood), 404);
  EXPECT_EQ(refused("/api/command/", kGood), 404);
  EXPECT_EQ(refused("/api/command/PROCESS_SERVICE_CHECK_RESULT/", kGood), 404);
  EXPECT_EQ(refused("/api/command/process_service_check_result", kGood), 404);
}

TEST_F(Op5Inbound, OtherMethodsAreNotAllowed) {
  for (const char* method : {"GET", "PUT", "DELETE", "HEAD", "OPTIONS", "post"}) {
    EXPECT_EQ(refused(kService, kGood, method), 405) << method;
    EXPECT_EQ(*last_.header("Allow"), "POST");
  }
}

TEST_F(Op5Inbound, BadBodiesAreRefusedWithFieldAndFragment) {
  for (auto [body, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "JSON"},
           {"nonsense", "nonsense"},
           {"[]", "no object"},
           {"{", "JSON"},
           {R"({"service_description":"s","status_code":"0"})", "host_name: missing"},
           {R"({"host_name":"","service_description":"s","status_code":"0"})",
            "host_name: missing"},
           {R"({"host_name":"h","status_code":"0"})", "service_description: missing"},
           {R"({"host_name":"h","service_description":"s"})", "status_code: missing"},
           {R"({"host_name":"h","service_description":"s","status_code":true})",
            "status_code: \\\"true\\\""},
           {R"({"host_name":"h","service_description":"s","status_code":{"a":1}})",
            "status_code: "},
           {R"({"host_name":"h","service_description":"s","status_code":[0]})", "status_code: "},
           {R"({"host_name":"h","service_description":"s","status_code":1.5})",
            "status_code: \\\"1.5\\\""},
           {R"({"host_name":"h","service_description":"s","status_code":"two"})",
            "status_code: \\\"two\\\""},
           {R"({"host_name":"h","service_description":"s","status_code":""})", "status_code: "},
           {R"({"host_name":"h","service_description":"s","status_code":null})",
            "status_code: missing"},
           {R"({"host_name":"h","service_description":"s","status_code":"4"})",
            "status_code: \\\"4\\\""},
           {R"({"host_name":"h","service_description":"s","status_code":-1})",
            "status_code: \\\"-1\\\""},
           {R"({"host_name":7,"service_description":"s","status_code":"0"})",
            "host_name: \\\"7\\\""},
           {R"({"host_name":"a\u0000b","service_description":"s","status_code":"0"})",
            "host_name: control"},
           {"{\"host_name\":\"caf\xe9\",\"service_description\":\"s\",\"status_code\":\"0\"}",
            "host_name: "},
           {R"({"host_name":"h","service_description":"s","status_code":"0","plugin_output":[1]})",
            "plugin_output: "}}) {
    EXPECT_EQ(refused(kService, body), 400) << body;
    EXPECT_NE(last_.body.find(words), std::string::npos) << body << " got " << last_.body;
  }
}

TEST_F(Op5Inbound, HostStateThreeIsRefused) {
  EXPECT_EQ(refused(kHost, R"({"host_name":"h","status_code":"3"})"), 400);
}

TEST_F(Op5Inbound, LongNameIsRefused) {
  EXPECT_EQ(refused(kHost, R"({"host_name":")" + std::string(256, 'h') + R"(","status_code":"0"})"),
            400);
}

TEST_F(Op5Inbound, OversizedBodyIsRefused) {
  open({.framing = Framing::http, .max_result = 100});
  EXPECT_EQ(refused(kService, std::string(101, ' ')), 413);
}

TEST_F(Op5Inbound, DeepBodyIsRefused) {
  EXPECT_EQ(refused(kService, std::string(60000, '[')), 400);
}

TEST_F(Op5Inbound, BadUtf8InTheOutputIsReplaced) {
  Actions out =
      request(kHost, "{\"host_name\":\"h\",\"status_code\":0,\"plugin_output\":\"caf\xe9\"}");
  ASSERT_EQ(out.submit.size(), 1U);
  EXPECT_EQ(out.submit[0].results[0].output, "caf\ufffd");
}

TEST_F(Op5Inbound, UnknownFieldsAreIgnored) {
  EXPECT_EQ(request(kHost, R"({"host_name":"h","status_code":0,"x":{"y":[1]}})").submit.size(), 1U);
}

TEST_F(Op5Inbound, FormFieldsAreTaken) {
  Actions out = request(
      kService,
      "host_name=db%2B1&service_description=Nightly+job&status_code=1&plugin_output=a%7cb%zz",
      "POST", "application/x-www-form-urlencoded; charset=utf-8");
  ASSERT_EQ(out.submit.size(), 1U);
  const CheckResult& r = out.submit[0].results[0];
  EXPECT_EQ(r.subject, (Subject{"db+1", "Nightly job"}));
  EXPECT_EQ(r.output, "a");
  EXPECT_EQ(r.perfdata, "b%zz");
}

TEST_F(Op5Inbound, JsonUnderCurlsDefaultTypeIsJson) {
  EXPECT_EQ(request(kService, kGood, "POST", "application/x-www-form-urlencoded").submit.size(),
            1U);
}

TEST(Op5Dialect, OwnsItsPathsOnly) {
  EXPECT_TRUE(op5_dialect().owns_path(kService));
  EXPECT_TRUE(op5_dialect().owns_path("/api/command/ANYTHING"));
  EXPECT_FALSE(op5_dialect().owns_path("/api/commands"));
  EXPECT_FALSE(op5_dialect().owns_path("/v1/results"));
}

TEST(Op5Dialect, ComesInOverHttpOnly) {
  EXPECT_EQ(op5_dialect().inbound({.framing = Framing::stream}), nullptr);
}

}  // namespace
}  // namespace checkrelay
