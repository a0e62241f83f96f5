// Our way out talks to our way in, in memory: what comes out is what went in, after the hygiene
// that wire.h documents.
#include <gtest/gtest.h>

#include <random>

#include "agent/base/text.h"
#include "plugins/dialects/op5/dialect.h"
#include "plugins/dialects/op5/wire.h"

namespace checkrelay {
namespace {

struct Crossing {
  std::optional<CheckResult> arrived{};
  std::vector<Verdict> verdicts{};
};

std::unique_ptr<Outbound> outbound(const std::string& multiline) {
  Options o;
  o.set("url", std::string("http://localhost"));
  o.set("multiline", multiline);
  return std::move(op5_dialect().outbound(o).value());
}

Crossing cross(const CheckResult& sent, const std::string& multiline = "flatten",
               const Outcome& outcome = {.ok = true}) {
  Crossing crossing;
  auto client = outbound(multiline)->open(std::span(&sent, 1));
  auto server = op5_dialect().inbound({.framing = Framing::http});
  Actions out, in;
  client->start({}, out);
  if (out.send.size() == 1) {
    Message request = out.send[0];
    request.target.erase(0, std::string("http://localhost").size());
    server->receive(std::move(request), {}, in);
    if (in.submit.size() == 1) {
      crossing.arrived = in.submit[0].results.at(0);
      server->settle(in.submit[0].ticket, std::span(&outcome, 1), {}, in);
    }
    EXPECT_EQ(in.send.size(), 1U);
    client->receive(in.send.at(0), {}, out);
  }
  EXPECT_TRUE(out.close);
  crossing.verdicts = out.verdicts;
  return crossing;
}

CheckResult result(std::string host, std::string service, State state, std::string output,
                   std::string perfdata) {
  CheckResult r;
  r.subject = {std::move(host), std::move(service)};
  r.state = state;
  r.output = std::move(output);
  r.perfdata = std::move(perfdata);
  return r;
}

// One-line text that hygiene leaves alone but for the pipe.
std::string after_hygiene(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos;)
    text.replace(at, 1, "\u00a6");
  text = std::string(trimmed(text));
  return text.empty() ? "(no output)" : text;
}

TEST(Op5Pair, AwkwardCharactersArriveAsTheyWere) {
  const std::vector<std::string> pieces = {"%",
                                           "%41",
                                           "$",
                                           "$USER1$",
                                           "|",
                                           "\"",
                                           "'",
                                           "/",
                                           ":",
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
                                           "\u2028"};
  std::mt19937 random(20261);  // NOLINT: the same every time
  auto text = [&](std::size_t most) {
    std::string out;
    for (std::size_t n = random() % (most + 1); n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  int arrived = 0;
  for (int i = 0; i < 3000; ++i) {
    CheckResult sent =
        result("h" + text(6) + ".", random() % 3 ? "s" + text(6) + "." : "", 0, text(12), "");
    sent.state = static_cast<State>(random() % (sent.subject.is_host() ? 3 : 4));
    if (random() % 2) sent.perfdata = "'l" + std::string(trimmed(text(3))) + "'=1;2;3";
    Crossing c = cross(sent);
    ASSERT_TRUE(c.arrived) << to_string(sent.subject);
    EXPECT_EQ(c.arrived->subject, sent.subject);
    EXPECT_EQ(c.arrived->state, sent.state);
    EXPECT_EQ(c.arrived->output, after_hygiene(sent.output));
    EXPECT_EQ(c.arrived->perfdata, sent.perfdata);
    ASSERT_EQ(c.verdicts.size(), 1U);
    EXPECT_EQ(c.verdicts[0].judgement, Judgement::delivered);
    ++arrived;
  }
  EXPECT_EQ(arrived, 3000);
}

TEST(Op5Pair, SemicolonsInTextArrive) {
  EXPECT_EQ(cross(result("h", "s", 0, "a;b", "x=1;2")).arrived->output, "a;b");
}

TEST(Op5Pair, NamesThatCannotBeAddressedNeverTravel) {
  for (const char* name : {"a;b", "trailing ", " leading", "a\nb"}) {
    Crossing c = cross(result(name, "s", 0, "x", ""));
    EXPECT_FALSE(c.arrived);
    ASSERT_EQ(c.verdicts.size(), 1U);
    EXPECT_EQ(c.verdicts[0].judgement, Judgement::rejected);
  }
}

TEST(Op5Pair, RawLinesArriveAsLines) {
  Crossing c = cross(result("h", "s", 2, "first\nsecond\nthird", "a=1 b=2"), "raw");
  EXPECT_EQ(c.arrived->output, "first\nsecond\nthird");
  EXPECT_EQ(c.arrived->perfdata, "a=1 b=2");
}

TEST(Op5Pair, HostStateThreeArrivesAsDown) {
  EXPECT_EQ(cross(result("h", "", 3, "x", "")).arrived->state, 1);
}

TEST(Op5Pair, RefusalsComeBackAsVerdicts) {
  auto judgement = [](Errc code) {
    return cross(result("h", "s", 0, "x", ""), "flatten",
                 {.ok = false, .code = code, .error = "no"})
        .verdicts.at(0)
        .judgement;
  };
  EXPECT_EQ(judgement(Errc::invalid), Judgement::unknown_object);
  EXPECT_EQ(judgement(Errc::refused), Judgement::auth);
  EXPECT_EQ(judgement(Errc::full), Judgement::transient);
  EXPECT_EQ(judgement(Errc::unavailable), Judgement::transient);
}

}  // namespace
}  // namespace checkrelay
