// The contract of dialects, run over everything that is built in. Outbound: exactly one verdict an
// item, at the latest with the close, whatever the peer does; "delivered" only on a confirmation.
// Inbound over HTTP: an answer to every request, and the good one only from settle().
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "agent/base/text.h"
#include "plugins/builtin.h"
#include "tests/contract/dialect_options.h"

namespace checkrelay {
namespace {

std::vector<CheckResult> batch_of(std::size_t n) {
  std::vector<CheckResult> batch(n);
  for (std::size_t i = 0; i < n; ++i) {
    batch[i].subject = {"host" + std::to_string(i), i % 2 ? "Service" : ""};
    batch[i].output = "fine";
    batch[i].id = std::to_string(i);
  }
  return batch;
}

bool has_secret(const Dialect& dialect) {
  auto rows = dialect.options();
  return std::any_of(rows.begin(), rows.end(),
                     [](const OptionRow& row) { return row.kind == OptionKind::secret; });
}

// Plays the carrier: answers what is sent by `peer`, checks the contract at every step.
class OutboundRun {
 public:
  using PeerAnswer = std::function<Message(const Message&)>;
  OutboundRun(const Dialect& dialect, std::size_t items)
      : items_(items), knows_secret_(has_secret(dialect)) {
    outbound_ = std::move(dialect.outbound(sample_options(dialect)).value());
    conversation_ = outbound_->open(batch_of(items));
    step([&](Actions& out) { conversation_->start(now_, out); });
  }
  // To the close, hanging up after `answers` of them.
  void run(const PeerAnswer& peer, std::size_t answers = 1000) {
    for (; !closed_ && !sent_.empty() && answers > 0; --answers) {
      Message asked = std::move(sent_.front());
      sent_.erase(sent_.begin());
      step([&](Actions& out) { conversation_->receive(peer(asked), now_, out); });
    }
    if (!closed_) step([&](Actions& out) { conversation_->finish(now_, out); });
    EXPECT_TRUE(closed_);
    EXPECT_EQ(items_seen_.size(), items_) << "verdicts are missing";
  }
  std::size_t delivered = 0;

 private:
  void step(const std::function<void(Actions&)>& call) {
    ASSERT_FALSE(closed_);
    Actions out;
    call(out);
    for (Verdict& v : out.verdicts) judge(v);
    for (Message& m : out.send) sent_.push_back(std::move(m));
    EXPECT_TRUE(out.submit.empty());
    closed_ = out.close;
    if (closed_) {
      EXPECT_EQ(items_seen_.size(), items_) << "closed without every verdict";
    }
  }
  void judge(const Verdict& v) {
    EXPECT_LT(v.item, items_);
    EXPECT_TRUE(items_seen_.insert(v.item).second) << "two verdicts for item " << v.item;
    EXPECT_LE(v.answer.size(), 500U);
    EXPECT_TRUE(is_valid_utf8(v.answer));
    EXPECT_EQ(v.answer.find_first_of("\r\n"), std::string::npos);
    if (knows_secret_) {
      EXPECT_EQ(v.answer.find("hunter2-secret"), std::string::npos);
    }
    if (v.retry_after) {
      EXPECT_GE(v.retry_after->count(), 0);
    }
    delivered += v.judgement == Judgement::delivered;
  }

  std::size_t items_;
  bool knows_secret_;
  Instant now_{Steady(std::chrono::hours(1)), Wall(std::chrono::hours(24 * 365 * 50))};
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<Conversation> conversation_;
  std::vector<Message> sent_;
  std::set<std::size_t> items_seen_;
  bool closed_ = false;
};

std::vector<std::string> hostile_bodies() {
  return {"",
          "{}",
          "[]",
          "null",
          "true",
          "\"result\"",
          "<html><body>hunter2-secret</body></html>",
          R"({"result":1,"success":0})",
          R"({"error":"hunter2-secret","full_error":{"type":["x"]}})",
          R"({"error":)" + std::string(5000, '['),
          std::string(1 << 20, '{'),
          std::string(100, '\0') + "\xff\xfe\x80",
          std::string(2000, '\n')};
}

const Registry& registry() {
  static const Registry r = builtin_registry();
  return r;
}

std::vector<const Dialect*> outbound_dialects() {
  std::vector<const Dialect*> all;
  for (const Dialect* d : registry().dialects) {
    if (d->traits()) all.push_back(d);
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<const Dialect*>& p) {
  return std::string(p.param->name());
}

class OutboundContract : public testing::TestWithParam<const Dialect*> {
 protected:
  // Every size of batch that matters, against one peer. How many items were called delivered.
  static std::size_t delivered_by(const OutboundRun::PeerAnswer& peer) {
    const Dialect& dialect = *GetParam();
    std::size_t delivered = 0;
    for (std::size_t items :
         {std::size_t{1}, std::min<std::size_t>(dialect.traits()->batch_max, 7)}) {
      OutboundRun run(dialect, items);
      run.run(peer);
      delivered += run.delivered;
    }
    return delivered;
  }
  // With nothing that travels there is nothing to confirm.
  static bool confirms() { return GetParam()->traits()->framing != Framing::none; }
};

TEST_P(OutboundContract, TroubleIsNeverADelivery) {
  for (Trouble t : {Trouble::connect, Trouble::tls, Trouble::timeout, Trouble::dropped,
                    Trouble::too_large, Trouble::io, Trouble::cancelled, Trouble::none}) {
    std::size_t n =
        delivered_by([&](const Message&) { return Message::failure(t, "hunter2-secret\nwords"); });
    if (confirms()) {
      EXPECT_EQ(n, 0U) << int(t);
    }
  }
}

TEST_P(OutboundContract, StatusWithoutConfirmationIsNeverADelivery) {
  for (const std::string& body : hostile_bodies()) {
    for (int status = body.size() > 10000 ? 199 : 100;
         status<600; status += body.size()> 10000 ? 101 : 1) {
      std::size_t n = delivered_by([&](const Message&) {
        Message m = Message::response(status, body, status % 2 ? "text/html" : "application/json");
        m.headers.push_back({"Retry-After", status % 3 ? "5" : "whenever"});
        return m;
      });
      if (confirms()) {
        ASSERT_EQ(n, 0U) << status << " " << quoted(body);
      }
    }
  }
}

TEST_P(OutboundContract, GarbageIsNeverADelivery) {
  for (const std::string& body : hostile_bodies()) {
    if (body.empty()) continue;
    std::size_t n = delivered_by([&](const Message&) { return Message::bytes(body); });
    if (confirms()) {
      EXPECT_EQ(n, 0U) << quoted(body);
    }
  }
}

TEST_P(OutboundContract, EchoIsNeverADelivery) {
  std::size_t n = delivered_by([](const Message& asked) { return asked; });
  if (confirms()) {
    EXPECT_EQ(n, 0U);
  }
}

TEST_P(OutboundContract, PeerMayHangUpAtAnyTime) {
  for (std::size_t answers = 0; answers < 4; ++answers) {
    OutboundRun run(*GetParam(), std::min<std::size_t>(GetParam()->traits()->batch_max, 3));
    run.run([](const Message&) { return Message::response(400, "{}", "application/json"); },
            answers);
  }
}

TEST_P(OutboundContract, CarrierForItIsBuiltIn) {
  EXPECT_NE(registry().carrier(GetParam()->traits()->framing), nullptr);
}

TEST_P(OutboundContract, OptionRowsAreWellFormed) {
  std::set<std::string_view> names;
  for (const OptionRow& row : GetParam()->options()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_EQ(row.doc.find('\n'), std::string_view::npos) << row.name;
    EXPECT_EQ(row.kind == OptionKind::choice, !row.choices.empty()) << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(BuiltIn, OutboundContract, testing::ValuesIn(outbound_dialects()),
                         name_of);

struct HttpCase {
  const char* dialect = "";
  const char* path = "";
  const char* body = "";
  bool item_by_item = false;  // what is wrong with an item is told in a 200
};
void PrintTo(const HttpCase& c, std::ostream* out) { *out << c.dialect << ' ' << c.path; }

class HttpInboundContract : public testing::TestWithParam<HttpCase> {
 protected:
  HttpInboundContract() { open({.framing = Framing::http}); }
  void open(const InboundContext& context) {
    conversation_ = registry().dialect(GetParam().dialect)->inbound(context);
    ASSERT_NE(conversation_, nullptr);
    Actions out;
    conversation_->start({}, out);
    EXPECT_TRUE(out.send.empty());
  }
  Actions request(const std::string& method, const std::string& body) {
    Actions out;
    Message m = Message::request(method, GetParam().path, body);
    m.headers.push_back({"Content-Type", "application/json"});
    conversation_->receive(std::move(m), {}, out);
    return out;
  }
  std::unique_ptr<Conversation> conversation_;
};

TEST_P(HttpInboundContract, OwnsItsPath) {
  EXPECT_TRUE(registry().dialect(GetParam().dialect)->owns_path(GetParam().path));
}

TEST_P(HttpInboundContract, GoodNewsComesOnlyFromSettle) {
  Actions asked = request("POST", GetParam().body);
  ASSERT_EQ(asked.submit.size(), 1U);
  EXPECT_TRUE(asked.send.empty());
  std::vector<Outcome> outcomes(asked.submit[0].results.size(), Outcome{.ok = true, .id = "x"});
  Actions settled;
  conversation_->settle(asked.submit[0].ticket, outcomes, {}, settled);
  ASSERT_EQ(settled.send.size(), 1U);
  EXPECT_EQ(settled.send[0].status, 200);
}

TEST_P(HttpInboundContract, RefusedResultsAreNoGoodNews) {
  for (Errc code : {Errc::invalid, Errc::refused, Errc::full, Errc::unavailable, Errc::corrupt,
                    Errc::unsupported}) {
    Actions asked = request("POST", GetParam().body);
    ASSERT_EQ(asked.submit.size(), 1U);
    std::vector<Outcome> outcomes(asked.submit[0].results.size(),
                                  Outcome{.ok = false, .code = code, .error = "no"});
    Actions settled;
    conversation_->settle(asked.submit[0].ticket, outcomes, {}, settled);
    ASSERT_EQ(settled.send.size(), 1U);
    if (GetParam().item_by_item && (code == Errc::invalid || code == Errc::refused)) {
      EXPECT_EQ(settled.send[0].status, 200);
      EXPECT_EQ(settled.send[0].body.find("success\""), std::string::npos);
      continue;
    }
    EXPECT_GE(settled.send[0].status, 400);
    if (code == Errc::full) {
      EXPECT_EQ(settled.send[0].status, 507);
    }
  }
}

TEST_P(HttpInboundContract, GarbageIsAnsweredAtOnce) {
  for (const std::string& body : hostile_bodies()) {
    if (body == "[]") continue;  // no results at all may be no error
    Actions out = request("POST", body);
    ASSERT_EQ(out.send.size(), 1U) << quoted(body);
    EXPECT_GE(out.send[0].status, 400) << quoted(body);
    EXPECT_TRUE(out.submit.empty()) << quoted(body);
  }
}

TEST_P(HttpInboundContract, WithoutCredentialsNothingIsTaken) {
  open({.framing = Framing::http, .authenticated = false, .auth_error = "unknown user"});
  Actions out = request("POST", GetParam().body);
  EXPECT_TRUE(out.submit.empty());
  ASSERT_EQ(out.send.size(), 1U);
  EXPECT_EQ(out.send[0].status, 401);
  EXPECT_NE(out.send[0].header("WWW-Authenticate"), nullptr);
}

TEST_P(HttpInboundContract, OtherMethodsAreNotAllowed) {
  for (const char* method : {"GET", "PUT", "DELETE", "PATCH"}) {
    Actions out = request(method, GetParam().body);
    ASSERT_EQ(out.send.size(), 1U) << method;
    EXPECT_EQ(out.send[0].status, 405) << method;
    EXPECT_TRUE(out.submit.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    BuiltIn, HttpInboundContract,
    testing::Values(
        HttpCase{
            "op5", "/api/command/PROCESS_SERVICE_CHECK_RESULT",
            R"({"host_name":"h","service_description":"s","status_code":"0","plugin_output":"x"})"},
        HttpCase{"groundwork", "/api/services",
                 R"({"services":[{"hostName":"h","description":"s","monitorStatus":"OK"}]})", true},
        HttpCase{"opsview", "/rest/status?svc.hostname=h&svc.servicename=s",
                 R"({"new_state":"0","comment":"x"})"},
        HttpCase{"native", "/v1/results", R"({"host":"h","service":"s","state":0,"output":"x"})"}),
    [](const auto& p) { return std::string(p.param.dialect); });

// A dialect that takes results over HTTP must have a case above; opmantek takes none.
TEST(BuiltIn, HttpDialectsHaveTheirCase) {
  std::set<std::string_view> known = {"op5", "groundwork", "opsview", "opmantek", "native"};
  for (const Dialect* d : registry().dialects) {
    if (d->inbound({.framing = Framing::http})) {
      EXPECT_TRUE(known.count(d->name())) << d->name();
    }
  }
}

TEST(BuiltIn, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Dialect* d : registry().dialects) {
    EXPECT_TRUE(names.insert(d->name()).second) << d->name();
    EXPECT_FALSE(d->summary().empty());
  }
  for (const char* name :
       {"native", "nagios", "op5", "groundwork", "opsview", "opmantek", "file", "discard"})
    EXPECT_TRUE(names.count(name)) << name;
}

}  // namespace
}  // namespace checkrelay
