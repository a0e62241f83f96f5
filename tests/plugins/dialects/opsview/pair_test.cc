// Our way out talks to our way in, in memory.
#include <gtest/gtest.h>

#include <random>

#include "agent/base/text.h"
#include "agent/policy/logins.h"
#include "tests/plugins/dialects/opsview/server.h"

namespace checkrelay::opsview {
namespace {

// The upstream: our own inbound half behind a table of tokens.
class OpsviewPair : public testing::TestWithParam<const char*> {
 protected:
  Message serve(Message request, const Outcome& outcome) {
    request.target.erase(0, std::string("https://m.example.com").size());
    for (const SecretHeader& h : request.secret_headers)
      request.headers.push_back({h.name, h.value.reveal()});
    auto session = opsview_dialect().session(request);
    InboundContext context;
    context.framing = Framing::http;
    context.logins = &logins;
    context.authenticated = session && logins.use(*session, {}).has_value();
    auto server = opsview_dialect().inbound(context);
    Actions out;
    server->receive(std::move(request), {}, out);
    if (!out.submit.empty()) {
      arrived.push_back(out.submit[0].results.at(0));
      server->settle(out.submit[0].ticket, std::span(&outcome, 1), {}, out);
    }
    return out.send.at(0);
  }
  std::vector<Verdict> cross(const CheckResult& sent, const Outcome& outcome = {.ok = true}) {
    auto client = outbound->open(std::span(&sent, 1));
    Actions out;
    client->start({}, out);
    std::vector<Verdict> verdicts = out.verdicts;
    for (int i = 0; i < 20 && !out.close && !out.send.empty(); ++i) {
      Message request = std::move(out.send.front());
      out = {};
      client->receive(serve(std::move(request), outcome), {}, out);
      verdicts.insert(verdicts.end(), out.verdicts.begin(), out.verdicts.end());
    }
    EXPECT_TRUE(out.close);
    return verdicts;
  }

  int tokens = 0;
  std::shared_ptr<Access> access =
      std::make_shared<Access>(std::vector<User>{{"relay", Secret("hunter2"), {"*"}}});
  TokenTable logins{access, [this] { return "token" + std::to_string(++tokens); }};
  std::unique_ptr<Outbound> outbound =
      std::move(opsview_dialect().outbound(options(GetParam())).value());
  std::vector<CheckResult> arrived;
};

std::string after_hygiene(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos;)
    text.replace(at, 1, "\u00a6");
  text = std::string(trimmed(text));
  return text.empty() ? "(no output)" : text;
}

TEST_P(OpsviewPair, AwkwardCharactersArriveAsTheyWere) {
  const std::vector<std::string> pieces = {"$",
                                           "$USER1$",
                                           "|",
                                           "\"",
                                           "'",
                                           "/",
                                           ":",
                                           "::",
                                           ";",
                                           "\\",
                                           "\\n",
                                           "\u00e4\u00f6",
                                           "\u65e5\u672c",
                                           "\U0001F600",
                                           "&",
                                           "+",
                                           "=",
                                           "#",
                                           "?",
                                           "<b>",
                                           "{",
                                           "}",
                                           "[",
                                           "\t",
                                           " ",
                                           "a",
                                           "Z",
                                           "0",
                                           "~",
                                           "`",
                                           "!",
                                           "*",
                                           "^",
                                           "_",
                                           "\u2028"};
  std::mt19937 random(20261);  // NOLINT: the same every time
  auto text = [&](std::size_t most) {
    std::string out;
    for (std::size_t n = random() % (most + 1); n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int i = 0; i < 2000; ++i) {
    CheckResult sent = result("h" + text(6) + ".", random() % 3 ? "s" + text(6) + "." : "");
    sent.output = text(12);
    sent.state = static_cast<State>(random() % (sent.subject.is_host() ? 3 : 4));
    if (random() % 2) sent.perfdata = "'l" + std::string(trimmed(text(3))) + "'=1;2;3";
    auto verdicts = cross(sent);
    ASSERT_EQ(arrived.size(), static_cast<std::size_t>(i) + 1) << to_string(sent.subject);
    EXPECT_EQ(arrived.back().subject, sent.subject);
    EXPECT_EQ(arrived.back().state, sent.state);
    EXPECT_EQ(arrived.back().output, after_hygiene(sent.output));
    EXPECT_EQ(arrived.back().perfdata, sent.perfdata);
    ASSERT_EQ(verdicts.size(), 1U);
    ASSERT_EQ(verdicts[0].judgement, Judgement::delivered) << verdicts[0].answer;
  }
  EXPECT_EQ(tokens, 1);
}

TEST_P(OpsviewPair, NamesThatAreWildcardsNeverTravel) {
  for (const char* name : {"a%", "a\nb"}) {
    auto verdicts = cross(result(name));
    EXPECT_TRUE(arrived.empty());
    EXPECT_EQ(verdicts.at(0).judgement, Judgement::rejected);
  }
}

TEST_P(OpsviewPair, HostStateThreeArrivesAsDown) {
  CheckResult host = result("h", "");
  host.state = 3;
  cross(host);
  EXPECT_EQ(arrived.at(0).state, 1);
}

TEST_P(OpsviewPair, RefusalsComeBackAsVerdicts) {
  auto judgement = [this](Errc code) {
    return cross(result("h"), {.ok = false, .code = code, .error = "no"}).at(0).judgement;
  };
  EXPECT_EQ(judgement(Errc::invalid), Judgement::rejected);
  EXPECT_EQ(judgement(Errc::refused), Judgement::auth);
  EXPECT_EQ(judgement(Errc::full), Judgement::transient);
  EXPECT_EQ(judgement(Errc::unavailable), Judgement::transient);
}

TEST_P(OpsviewPair, ATokenThatIsGoneIsRenewed) {
  cross(result("h"));
  logins.close(Secret("token1"));
  EXPECT_EQ(cross(result("h")).at(0).judgement, Judgement::delivered);
  EXPECT_EQ(tokens, 2);
}

TEST_P(OpsviewPair, AWrongPasswordIsAuth) {
  *access = Access({{"relay", Secret("other"), {"*"}}});
  EXPECT_EQ(cross(result("h")).at(0).judgement, Judgement::auth);
  EXPECT_EQ(tokens, 0);
}

INSTANTIATE_TEST_SUITE_P(Forms, OpsviewPair, testing::Values("detail", "status"),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace checkrelay::opsview
