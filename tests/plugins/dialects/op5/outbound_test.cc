#include <gtest/gtest.h>

#include "plugins/dialects/op5/dialect.h"

namespace checkrelay {
namespace {

Options options() {
  Options o;
  o.set("url", std::string("https://m.example.com/"));
  o.set("username", std::string("relay$Default"));
  o.set("password", Secret("hunter2"));
  o.set("multiline", std::string("flatten"));
  o.set("text_limit", 4096LL);
  return o;
}

CheckResult result(std::string host, std::string service = "Backup") {
  CheckResult r;
  r.subject = {std::move(host), std::move(service)};
  r.output = "fine";
  return r;
}

class Op5Outbound : public testing::Test {
 protected:
  Actions open(const std::vector<CheckResult>& batch, const Options& o = options()) {
    outbound_ = std::move(op5_dialect().outbound(o).value());
    conversation_ = outbound_->open(batch);
    Actions out;
    conversation_->start({}, out);
    return out;
  }
  Actions answer(int status, std::string body) {
    Actions out;
    conversation_->receive(Message::response(status, std::move(body), "application/json"), {}, out);
    return out;
  }
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<Conversation> conversation_;
};

class Op5Probe : public Op5Outbound {
 protected:
  Judgement probe(Message answer) {
    outbound_ = std::move(op5_dialect().outbound(options()).value());
    conversation_ = outbound_->probe();
    Actions out;
    conversation_->start({}, out);
    EXPECT_EQ(out.send.size(), 1U);
    asked_ = out.send.at(0);
    out = {};
    conversation_->receive(std::move(answer), {}, out);
    EXPECT_TRUE(out.close);
    EXPECT_EQ(out.verdicts.size(), 1U);
    return out.verdicts.at(0).judgement;
  }
  Message asked_;
};

TEST_F(Op5Probe, AsksWithCredentialsAndCommandsNothing) {
  EXPECT_EQ(probe(Message::response(405, "{}", "application/json")), Judgement::delivered);
  EXPECT_EQ(asked_.method, "GET");
  EXPECT_TRUE(asked_.body.empty());
  ASSERT_TRUE(asked_.credentials);
  EXPECT_EQ(asked_.credentials->user, "relay$Default");
}

TEST_F(Op5Probe, TellsWhatIsWrong) {
  EXPECT_EQ(probe(Message::response(401, "{}", "application/json")), Judgement::auth);
  EXPECT_EQ(probe(Message::response(404, "<html></html>", "text/html")), Judgement::config);
  EXPECT_EQ(probe(Message::failure(Trouble::tls, "certificate")), Judgement::config);
  EXPECT_EQ(probe(Message::failure(Trouble::connect, "refused")), Judgement::transient);
}

constexpr const char* kConfirmed = R"({"result":"Successfully submitted"})";

TEST_F(Op5Outbound, SendsOneRequest) {
  Actions out = open({result("db1")});
  ASSERT_EQ(out.send.size(), 1U);
  const Message& m = out.send[0];
  EXPECT_EQ(m.kind, Message::Kind::request);
  EXPECT_EQ(m.method, "POST");
  EXPECT_EQ(m.target, "https://m.example.com/api/command/PROCESS_SERVICE_CHECK_RESULT?format=json");
  EXPECT_EQ(*m.header("content-type"), "application/json");
  EXPECT_EQ(*m.header("accept"), "application/json");
  EXPECT_FALSE(out.close);
}

TEST_F(Op5Outbound, CredentialsTravelApart) {
  Message m = open({result("db1")}).send.at(0);
  ASSERT_TRUE(m.credentials);
  EXPECT_EQ(m.credentials->user, "relay$Default");
  EXPECT_EQ(m.credentials->secret.reveal(), "hunter2");
  EXPECT_EQ(m.header("Authorization"), nullptr);
  EXPECT_EQ((m.target + m.body).find("hunter2"), std::string::npos);
}

TEST_F(Op5Outbound, WithoutUserSendsNoCredentials) {
  Options o;
  o.set("url", std::string("http://localhost"));
  EXPECT_FALSE(open({result("db1")}, o).send.at(0).credentials);
}

TEST_F(Op5Outbound, ConfirmationDelivers) {
  open({result("db1")});
  Actions out = answer(200, kConfirmed);
  ASSERT_EQ(out.verdicts.size(), 1U);
  EXPECT_EQ(out.verdicts[0].judgement, Judgement::delivered);
  EXPECT_TRUE(out.close);
}

TEST_F(Op5Outbound, NameThatCannotBeAddressedIsRejectedUnsent) {
  Actions out = open({result("a;b")});
  EXPECT_TRUE(out.send.empty());
  ASSERT_EQ(out.verdicts.size(), 1U);
  EXPECT_EQ(out.verdicts[0].judgement, Judgement::rejected);
  EXPECT_EQ(out.verdicts[0].answer, "host_name: \"a;b\" cannot be addressed: it holds ';'");
  EXPECT_TRUE(out.close);
}

TEST_F(Op5Outbound, EndWithoutAnswerIsTransient) {
  open({result("db1")});
  Actions out;
  conversation_->finish({}, out);
  ASSERT_EQ(out.verdicts.size(), 1U);
  EXPECT_EQ(out.verdicts[0].judgement, Judgement::transient);
  EXPECT_TRUE(out.close);
}

TEST_F(Op5Outbound, BatchIsItsItemsInTurn) {
  open({result("a"), result("x;y"), result("b")});
  Actions first = answer(400, "{}");
  ASSERT_EQ(first.verdicts.size(), 2U);
  EXPECT_EQ(first.verdicts[0].judgement, Judgement::unknown_object);
  EXPECT_EQ(first.verdicts[1].judgement, Judgement::rejected);
  EXPECT_EQ(first.verdicts[1].item, 1U);
  EXPECT_EQ(first.send.size(), 1U);
  EXPECT_FALSE(first.close);
  Actions second = answer(200, kConfirmed);
  ASSERT_EQ(second.verdicts.size(), 1U);
  EXPECT_EQ(second.verdicts[0].item, 2U);
  EXPECT_TRUE(second.close);
}

TEST_F(Op5Outbound, TroubleOfTheServerEndsTheBatch) {
  open({result("a"), result("b"), result("c")});
  answer(200, kConfirmed);
  Actions out = answer(401, "");
  ASSERT_EQ(out.verdicts.size(), 2U);
  EXPECT_EQ(out.verdicts[1].item, 2U);
  EXPECT_EQ(out.verdicts[1].judgement, Judgement::auth);
  EXPECT_TRUE(out.send.empty());
  EXPECT_TRUE(out.close);
}

TEST(Op5Options, FaultsAreNamed) {
  auto fault = [](std::string_view name, Options::Value value) {
    Options o = options();
    o.set(name, std::move(value));
    auto made = op5_dialect().outbound(o);
    return made ? std::string() : made.error().what;
  };
  EXPECT_EQ(fault("url", std::string("http://h/?a=b")),
            "url: \"http://h/?a=b\" may not hold '?' or '#'");
  EXPECT_TRUE(fault("username", std::string("a:b")).starts_with("username: "));
  EXPECT_TRUE(fault("username", std::string()).starts_with("username: "));
  for (const char* user : {"$LDAP", "relay$", "a$b$LDAP", "$", "$$"})
    EXPECT_TRUE(fault("username", std::string(user)).ends_with("hold no '$'")) << user;
  EXPECT_EQ(fault("username", std::string("relay")), "");
  EXPECT_TRUE(fault("text_limit", 63LL).starts_with("text_limit: "));
  EXPECT_EQ(fault("text_limit", 64LL), "");
}

TEST(Op5Traits, FollowTheContract) {
  auto traits = op5_dialect().traits();
  ASSERT_TRUE(traits);
  EXPECT_EQ(traits->framing, Framing::http);
  EXPECT_EQ(traits->backlog, "latest");
  EXPECT_FALSE(traits->takes_times);
  EXPECT_EQ(traits->batch_max, 1U);
  EXPECT_EQ(traits->max_in_flight, 1U);
  EXPECT_EQ(traits->rate, 10);
  EXPECT_EQ(traits->timeout, Duration(std::chrono::seconds(15)));
}

}  // namespace
}  // namespace checkrelay
