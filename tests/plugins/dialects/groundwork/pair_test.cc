// Our way out talks to our way in, in memory: what comes out is what went in, after the hygiene
// that wire.h documents.
#include <random>

#include "agent/base/text.h"
#include "tests/plugins/dialects/groundwork/server.h"

namespace checkrelay::groundwork {
namespace {

class OneUser : public Logins {
 public:
  Result<Secret> open(const Credentials& given, Duration, Instant) override {
    if (given.user != "relay" || given.secret.reveal() != "hunter2-secret")
      return fail(Errc::refused, "no");
    return Secret("feedface");
  }
  void close(const Secret&) override {}
};

// The server's side: a door that knows one user, and a journal that takes everything but what
// `judge` says.
class Hub {
 public:
  Message operator()(Message m) {
    const std::string root = "https://gw.example.com";
    m.target.erase(0, root.size());
    for (const SecretHeader& h : m.secret_headers) m.headers.push_back({h.name, h.value.reveal()});
    InboundContext context{.framing = Framing::http};
    auto session = groundwork_dialect().session(m);
    context.authenticated = session && session->secret.reveal() == "feedface";
    context.logins = &logins_;
    auto conversation = groundwork_dialect().inbound(context);
    Actions out;
    conversation->receive(std::move(m), {}, out);
    for (const Submission& s : out.submit) {
      std::vector<Outcome> outcomes;
      for (const CheckResult& r : s.results) {
        outcomes.push_back(judge(r));
        if (outcomes.back().ok) arrived.push_back(r);
      }
      conversation->settle(s.ticket, outcomes, {}, out);
    }
    EXPECT_EQ(out.send.size(), 1U);
    return out.send.empty() ? Message{} : out.send[0];
  }
  std::vector<CheckResult> arrived;
  std::function<Outcome(const CheckResult&)> judge = [](const CheckResult&) {
    return Outcome{.ok = true, .id = "x"};
  };

 private:
  OneUser logins_;
};

class GroundWorkPair : public testing::TestWithParam<const char*> {
 protected:
  GroundWorkPair() {
    Options o = options();
    o.set("format", std::string(GetParam()));
    edge_ = std::make_unique<Exchanges>(o);
    edge_->login = [this](const Message& m) { return hub_(m); };
  }
  std::map<std::size_t, Verdict> cross(const std::vector<CheckResult>& batch) {
    return edge_->run(batch, [this](const Message& m) { return hub_(m); });
  }
  Hub hub_;
  std::unique_ptr<Exchanges> edge_;
};

std::string after_hygiene(const std::string& text) {
  std::string out(trimmed(text));
  return out.empty() ? "(no output)" : out;
}

TEST_P(GroundWorkPair, AwkwardCharactersArriveAsTheyWere) {
  const std::vector<std::string> pieces = {
      "%",      "%41",    "$",          "$USER1$", "|",     "\"", "'", "/", ":", "\\",  "\\n",
      "\u00e4", "\u65e5", "\U0001F600", "&",       "&amp;", "+",  "=", "#", "?", "<b>", "]]>",
      "{",      "}",      "[",          " ",       "a",     "Z",  "0", "~", ";", ",",   "\u2028"};
  std::mt19937 random(20261);  // NOLINT: the same every time
  auto text = [&](std::size_t most) {
    std::string out;
    for (std::size_t n = random() % (most + 1); n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<CheckResult> sent;
    for (int i = 0; i < 60; ++i) {
      CheckResult r = result(text(5) + std::to_string(i), i % 3 ? "s" + text(5) : "", text(12));
      if (i % 4 == 0) r.output += "\nline two\twith a tab";
      r.state = static_cast<State>(random() % (r.subject.is_host() ? 3 : 4));
      if (random() % 2) r.perfdata = "'l" + std::string(trimmed(text(3))) + "'=1;2;3";
      r.time += std::chrono::milliseconds(random() % 1'000'000);
      sent.push_back(std::move(r));
    }
    hub_.arrived.clear();
    auto verdicts = cross(sent);
    EXPECT_EQ(count(verdicts, Judgement::delivered), sent.size());
    ASSERT_EQ(hub_.arrived.size(), sent.size());
    std::map<Subject, CheckResult> by_subject;
    for (CheckResult& r : hub_.arrived) by_subject[r.subject] = r;
    for (const CheckResult& r : sent) {
      ASSERT_TRUE(by_subject.contains(r.subject)) << to_string(r.subject);
      const CheckResult& got = by_subject[r.subject];
      EXPECT_EQ(got.state, r.state);
      EXPECT_EQ(got.output, after_hygiene(r.output));
      EXPECT_EQ(got.perfdata, r.perfdata);
      EXPECT_EQ(got.time, r.time);
    }
  }
}

TEST_P(GroundWorkPair, RefusalsComeBackAsVerdicts) {
  auto judgement = [&](Errc code) {
    hub_.judge = [code](const CheckResult& r) {
      if (r.subject.host != "bad") return Outcome{.ok = true, .id = "x"};
      return Outcome{.ok = false, .code = code, .error = "no"};
    };
    auto verdicts = cross({result("bad"), result("good")});
    return std::pair(verdicts.at(0).judgement, verdicts.at(1).judgement);
  };
  using J = Judgement;
  EXPECT_EQ(judgement(Errc::invalid), std::pair(J::rejected, J::delivered));
  EXPECT_EQ(judgement(Errc::refused), std::pair(J::rejected, J::delivered));
  EXPECT_EQ(judgement(Errc::full), std::pair(J::transient, J::transient));
  EXPECT_EQ(judgement(Errc::unavailable), std::pair(J::transient, J::transient));
}

TEST_P(GroundWorkPair, TheProbeIsTold) {
  auto verdicts =
      edge_->run(edge_->outbound->probe(), [this](const Message& m) { return hub_(m); });
  EXPECT_EQ(verdicts.at(0).judgement, Judgement::delivered) << verdicts.at(0).answer;
  EXPECT_TRUE(hub_.arrived.empty());
}

INSTANTIATE_TEST_SUITE_P(Formats, GroundWorkPair, testing::Values("json", "json_array", "xml"),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace checkrelay::groundwork
