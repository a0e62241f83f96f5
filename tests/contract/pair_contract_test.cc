// The contract of dialects that go both ways: what our way out sends, our way in understands, every
// character of it, in whatever pieces the bytes arrive. What an API cannot carry is said here, a
// function a system, and nothing else may be missing.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/dialect.h"
#include "plugins/dialects/op5/dialect.h"
#include "plugins/dialects/opsview/data.h"
#include "plugins/dialects/opsview/dialect.h"
#include "tests/contract/dialect_options.h"
#include "tests/contract/pair.h"

namespace checkrelay {
namespace {

using J = Judgement;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

std::string one_line(const std::string& text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trimmed(line);
    if (!out.empty() && !line.empty()) out += " / ";
    out += line;
  }
  return out;
}

// No API carries id, ttl and check_source, or an empty output, or the blanks around one.
CheckResult carried(const CheckResult& r) {
  CheckResult left;
  left.subject = r.subject;
  left.state = r.state;
  left.output = trimmed(r.output);
  left.perfdata = r.perfdata;
  left.time = r.time;
  return left;
}

// OP5 and Opsview: perfdata is what stands behind a pipe, so that no pipe is left in the output;
// results are stamped on arrival; hosts have no UNKNOWN.
CheckResult by_command(const CheckResult& r) {
  CheckResult left = carried(r);
  left.time = Wall{};
  replace_all(left.output, "|", "\u00a6");
  if (r.subject.is_host() && r.state == 3) left.state = 1;
  return left;
}

CheckResult flattened(const CheckResult& r) {
  CheckResult left = by_command(r);
  left.output = one_line(left.output);
  return left;
}

CheckResult escaped(const CheckResult& r) {
  CheckResult left = by_command(r);
  replace_all(left.output, "\n", "\\n");
  return left;
}

// A host has three states there, and UNREACHABLE is the nearest.
CheckResult by_batch(const CheckResult& r) {
  CheckResult left = carried(r);
  if (r.subject.is_host() && r.state == 3) left.state = 2;
  return left;
}

bool holds(const Subject& s, std::string_view characters) {
  return (s.host + s.service).find_first_of(characters) != std::string::npos;
}
bool blank_ends(const std::string& name) { return trimmed(name).size() != name.size(); }

// ';' separates a command's arguments, and the server strips them.
bool op5_takes(const Subject& s) {
  return !holds(s, ";\n") && !blank_ends(s.host) && !blank_ends(s.service);
}
bool groundwork_takes(const Subject& s) { return !holds(s, "\t\n"); }
bool opsview_takes(const Subject& s) { return !holds(s, "%\n"); }  // '%' is its wildcard

void in_xml(Message& m) {
  if (m.body.empty()) return;
  m.body = opsview::to_xml(opsview::parse_json(m.body).value());
  m.headers[0].value = "text/xml";
}
void in_perl(Message& m) {
  if (m.body.empty()) return;
  m.body = opsview::to_perl(opsview::parse_json(m.body).value());
  m.headers[0].value = "text/x-data-dumper";
}
void as_it_is(Message&) {}

// One way of one system.
struct Way {
  const char* name = "";
  const Dialect& (*dialect)() = nullptr;
  const char* option = "";
  const char* value = "";
  bool (*takes)(const Subject&) = nullptr;
  CheckResult (*arrives)(const CheckResult&) = nullptr;
  J invalid = J::rejected, refused = J::auth;  // what a refusal of one result means
  void (*rewrite)(Message&) = as_it_is;  // formats that our way in reads and none of ours sends
};
std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }

constexpr auto op5 = op5_dialect;
constexpr auto gw = groundwork_dialect;
constexpr auto ov = opsview_dialect;
const Way kWays[] = {
    {"op5", op5, "multiline", "flatten", op5_takes, flattened, J::unknown_object},
    {"op5_raw", op5, "multiline", "raw", op5_takes, by_command, J::unknown_object},
    {"op5_escaped", op5, "multiline", "escaped", op5_takes, escaped, J::unknown_object},
    {"groundwork", gw, "format", "json", groundwork_takes, by_batch, J::rejected, J::rejected},
    {"groundwork_7_0", gw, "format", "json_array", groundwork_takes, by_batch, J::rejected,
     J::rejected},
    {"groundwork_xml", gw, "format", "xml", groundwork_takes, by_batch, J::rejected, J::rejected},
    {"opsview_detail", ov, "submit", "detail", opsview_takes, flattened},
    {"opsview_status", ov, "submit", "status", opsview_takes, flattened},
    {"opsview_detail_xml", ov, "submit", "detail", opsview_takes, flattened, J::rejected, J::auth,
     in_xml},
    {"opsview_status_xml", ov, "submit", "status", opsview_takes, flattened, J::rejected, J::auth,
     in_xml},
    {"opsview_detail_perl", ov, "submit", "detail", opsview_takes, flattened, J::rejected, J::auth,
     in_perl},
    {"opsview_status_perl", ov, "submit", "status", opsview_takes, flattened, J::rejected, J::auth,
     in_perl},
};

class Pair : public testing::TestWithParam<Way> {
 protected:
  Pair() : hub_(GetParam().dialect()) {
    hub_.rewrite = GetParam().rewrite;
    connect();
  }
  void connect(long long batch_bytes = 1'000'000) {
    Options o = sample_options(GetParam().dialect());
    o.set(GetParam().option, std::string(GetParam().value));
    if (o.has("batch_bytes")) o.set("batch_bytes", batch_bytes);
    edge_ = std::move(GetParam().dialect().outbound(o).value());
  }
  std::map<std::size_t, Verdict> cross(const std::vector<CheckResult>& sent,
                                       std::size_t piece = 100'000) {
    return converse(edge_->open(sent), hub_, piece);
  }
  // Everything that can be addressed arrives, once, as what the API carries of it.
  void expect_crossing(const std::vector<CheckResult>& sent, std::size_t piece);
  void expect_arrival(const CheckResult& sent);

  std::string text(std::size_t most) {
    static const std::vector<std::string> kPieces = {
        "%",  "%41", "$",  "$USER1$", "|", "\"",     "'",       "/",      ":",          "::", ";",
        "\\", "\\n", "\t", "\n",      "&", "&amp;",  "+",       "=",      "#",          "?",  "<b>",
        "{",  "}",   "[",  "]]>",     ",", "\u00e4", "e\u0301", "\u65e5", "\U0001F600", " ",  "  ",
        "~",  "`",   "!",  "*",       "^", "_",      "\u2028",  "\u00a0", "a",          "Z",  "0"};
    std::string out;
    for (std::size_t n = random_() % (most + 1); n > 0; --n)
      out += kPieces[random_() % kPieces.size()];
    return out;
  }
  std::vector<CheckResult> results(std::size_t count);

  std::mt19937 random_{20261};  // NOLINT: the same every time
  PairHub hub_;
  std::unique_ptr<Outbound> edge_;
};

std::vector<CheckResult> Pair::results(std::size_t count) {
  std::vector<CheckResult> made(count);
  for (std::size_t i = 0; i < count; ++i) {
    CheckResult& r = made[i];
    r.subject.host = std::to_string(i) + text(4);
    if (random_() % 3) r.subject.service = "s" + text(4);
    r.state = static_cast<State>(random_() % 4);
    r.output = text(random_() % 8 ? 12 : 300);
    if (random_() % 2) {
      std::string label = text(3);
      replace_all(label, "\n", "");
      r.perfdata = "'l" + label + "'=1;2;3";
    }
    r.time = Wall(std::chrono::milliseconds(1'767'608'100'000 + random_() % 1'000'000'000));
    r.id = "id" + std::to_string(i);
    r.check_source = "somebody";
  }
  return made;
}

void Pair::expect_arrival(const CheckResult& sent) {
  auto at = std::find_if(hub_.arrived.begin(), hub_.arrived.end(),
                         [&](const CheckResult& r) { return r.subject == sent.subject; });
  ASSERT_NE(at, hub_.arrived.end()) << to_string(sent.subject);
  CheckResult expected = GetParam().arrives(sent);
  if (expected.output.empty()) expected.output = "(no output)";
  EXPECT_EQ(at->state, expected.state);
  EXPECT_EQ(at->output, expected.output);
  EXPECT_EQ(at->perfdata, expected.perfdata);
  EXPECT_EQ(at->time, expected.time);
  hub_.arrived.erase(at);
}

void Pair::expect_crossing(const std::vector<CheckResult>& sent, std::size_t piece) {
  auto verdicts = cross(sent, piece);
  ASSERT_EQ(verdicts.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const bool takes = GetParam().takes(sent[i].subject);
    const Verdict& v = verdicts.at(i);
    ASSERT_EQ(v.judgement, takes ? J::delivered : J::rejected)
        << to_string(sent[i].subject) << ": " << v.answer;
    EXPECT_EQ(v.local, !takes);
    if (!takes) continue;
    ASSERT_NO_FATAL_FAILURE(expect_arrival(sent[i]));
  }
  EXPECT_TRUE(hub_.arrived.empty()) << to_string(hub_.arrived.front().subject);
}

TEST_P(Pair, EveryCharacterArrives) {
  for (int round = 0; round < 20; ++round)
    ASSERT_NO_FATAL_FAILURE(expect_crossing(results(50), 100'000)) << "round " << round;
}

TEST_P(Pair, EverySizeOfPiecesWillDo) {
  const std::vector<CheckResult> sent = results(4);
  (void)cross(sent);
  hub_.arrived.clear();
  for (std::size_t piece = 1; piece <= hub_.longest; ++piece)
    ASSERT_NO_FATAL_FAILURE(expect_crossing(sent, piece)) << "pieces of " << piece;
}

TEST_P(Pair, EverySizeOfBatchesWillDo) {
  for (std::size_t count = 1; count <= 40; ++count)
    ASSERT_NO_FATAL_FAILURE(expect_crossing(results(count), 777)) << count;
  for (long long bytes : {1, 500, 2000}) {
    connect(bytes);
    ASSERT_NO_FATAL_FAILURE(expect_crossing(results(40), 777)) << "within " << bytes;
  }
}

TEST_P(Pair, RefusalsComeBackAsVerdicts) {
  auto judgement = [this](Errc code) {
    hub_.judge = [code](const CheckResult&) {
      return Outcome{.ok = false, .code = code, .error = "no"};
    };
    CheckResult r;
    r.subject = {"h", "s"};
    return cross({r}).at(0).judgement;
  };
  EXPECT_EQ(judgement(Errc::invalid), GetParam().invalid);
  EXPECT_EQ(judgement(Errc::refused), GetParam().refused);
  EXPECT_EQ(judgement(Errc::full), J::transient);
  EXPECT_EQ(judgement(Errc::unavailable), J::transient);
  EXPECT_TRUE(hub_.arrived.empty());
}

TEST_P(Pair, OneThatIsRefusedTakesNobodyAlong) {
  hub_.judge = [](const CheckResult& r) {
    if (r.subject.host != "bad") return Outcome{.ok = true, .id = "1"};
    return Outcome{.ok = false, .code = Errc::invalid, .error = "no"};
  };
  std::vector<CheckResult> sent(3);
  for (std::size_t i = 0; i < 3; ++i)
    sent[i].subject = {i == 1 ? "bad" : "good", std::to_string(i)};
  auto verdicts = cross(sent);
  EXPECT_EQ(verdicts.at(0).judgement, J::delivered);
  EXPECT_EQ(verdicts.at(1).judgement, GetParam().invalid);
  EXPECT_EQ(verdicts.at(2).judgement, J::delivered);
  EXPECT_EQ(hub_.arrived.size(), 2U);
}

TEST_P(Pair, TheProbeIsTold) {
  auto verdicts = converse(edge_->probe(), hub_, 10);
  EXPECT_EQ(verdicts.at(0).judgement, J::delivered) << verdicts.at(0).answer;
  EXPECT_TRUE(hub_.arrived.empty());
}

TEST_P(Pair, AWrongPasswordIsAuth) {
  hub_.set_password("another");
  EXPECT_EQ(cross(results(1)).at(0).judgement, J::auth);
  EXPECT_EQ(converse(edge_->probe(), hub_, 10).at(0).judgement, J::auth);
  EXPECT_EQ(hub_.tokens, 0);
}

TEST_P(Pair, ALoginThatIsForgottenIsMadeAnew) {
  CheckResult r;
  r.subject = {"h", "s"};
  (void)cross({r});
  const int logins = hub_.tokens;
  EXPECT_LE(logins, 1);
  hub_.forget_logins();
  EXPECT_EQ(cross({r}).at(0).judgement, J::delivered);
  EXPECT_EQ(hub_.tokens, 2 * logins);
  auto farewell = edge_->farewell();
  EXPECT_EQ(farewell != nullptr, logins > 0);
  if (farewell) (void)converse(std::move(farewell), hub_, 10);
}

INSTANTIATE_TEST_SUITE_P(Dialects, Pair, testing::ValuesIn(kWays),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace checkrelay
