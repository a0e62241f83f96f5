#include "agent/cli/reload_wait.h"

#include <gtest/gtest.h>

#include <deque>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

UpstreamAnswer status(const std::string& server, const std::string& configuration = "uptodate") {
  return {"done",
          R"({"server_status":")" + server + R"(","configuration_status":")" + configuration +
              R"(","average_duration":"30","messages":[{"detail":"no such plugin"}]})",
          ""};
}
const UpstreamAnswer kSilent{"unreachable", "", "connection refused"};

// Answers one after the other, the last one for ever; a second passes with each pause.
struct Reload {
  std::deque<UpstreamAnswer> answers{};
  int asked = 0;
  Duration elapsed{};
  std::vector<std::string> lines{};

  UpstreamAnswer see_through() {
    return await_reload({[this] {
                           ++asked;
                           UpstreamAnswer a = answers.front();
                           if (answers.size() > 1) answers.pop_front();
                           return a;
                         },
                         [this] { elapsed += 1s; }, [this] { return elapsed; },
                         [this](const std::string& line) { lines.push_back(line); }});
  }
};

TEST(ReloadWait, EndsWithTheReload) {
  Reload r{{status("1"), status("1"), status("0")}};
  const UpstreamAnswer end = r.see_through();
  EXPECT_EQ(end.end, "done");
  EXPECT_EQ(end.answer, status("0").answer);
  EXPECT_EQ(r.lines, (std::vector<std::string>{"reloading for 0 s; it usually takes about 30 s",
                                               "reloaded after 2 s"}));
}

TEST(ReloadWait, TellsHowLongItIsEveryFewSeconds) {
  Reload r;
  for (int i = 0; i < 12; ++i) r.answers.push_back(status("1"));
  r.answers.push_back(status("4"));
  EXPECT_EQ(r.see_through().end, "done");
  ASSERT_EQ(r.lines.size(), 4U);
  EXPECT_EQ(r.lines[1], "reloading for 5 s; it usually takes about 30 s");
  EXPECT_EQ(r.lines[3], "reloaded after 12 s, with warnings");
}

TEST(ReloadWait, AReloadThatHasNotBegunIsNotOver) {
  Reload r{{status("0", "pending"), status("0", "pending"), status("1", "pending"), status("0")}};
  EXPECT_EQ(r.see_through().end, "done");
  EXPECT_EQ(r.asked, 4);
}

TEST(ReloadWait, AChangeThatStaysPendingIsSaid) {
  Reload r{{status("0", "pending")}};
  EXPECT_EQ(r.see_through().end, "done");
  EXPECT_EQ(r.asked, 3);
  EXPECT_EQ(r.lines.back(), "reloaded after 2 s; a change is still pending");
}

TEST(ReloadWait, AFailedReloadIsRefusedWithItsMessages) {
  Reload r{{status("1"), status("3", "pending")}};
  const UpstreamAnswer end = r.see_through();
  EXPECT_EQ(end.end, "refused");
  EXPECT_EQ(end.error, "the reload has failed, or its configuration has errors: no such plugin");
}

TEST(ReloadWait, AServerThatStaysDownIsRefused) {
  Reload passing{{status("2"), status("0")}};
  EXPECT_EQ(passing.see_through().end, "done");
  Reload r{{status("2")}};
  EXPECT_EQ(r.see_through().end, "refused");
}

TEST(ReloadWait, AMomentOfSilenceIsBorne) {
  Reload r{{status("1"), kSilent, kSilent, status("0")}};
  EXPECT_EQ(r.see_through().end, "done");
  Reload gone{{kSilent}};
  EXPECT_EQ(gone.see_through().end, "unreachable");
  EXPECT_EQ(gone.elapsed, kSilence);
  EXPECT_EQ(gone.lines.front(), "no answer (connection refused); asking again");
}

TEST(ReloadWait, WhatIsNoStatusEndsIt) {
  for (const char* json : {"[]", "{}", "7", R"({"server_status":null})"}) {
    Reload r{{{"done", json, ""}}};
    EXPECT_EQ(r.see_through().end, "unreachable") << json;
  }
  Reload refused{{{"refused", "", "HTTP 403"}}};
  EXPECT_EQ(refused.see_through().error, "HTTP 403");
  Reload no_agent{{{"", "", ""}}};
  EXPECT_EQ(no_agent.see_through().end, "");
}

TEST(ReloadWait, NumbersAreReadAsTextsAre) {
  Reload r{{{"done", R"({"server_status":1,"average_duration":40})", ""}, status("0")}};
  EXPECT_EQ(r.see_through().end, "done");
  EXPECT_EQ(r.lines.front(), "reloading for 0 s; it usually takes about 40 s");
}

TEST(ReloadWait, IsTakenFromItsWordsAlone) {
  std::vector<std::string> words{"reload", "start", "--changelog", "--wait"};
  EXPECT_FALSE(take_wait(words));
  words.emplace_back("--wait");
  EXPECT_TRUE(take_wait(words));
  EXPECT_EQ(words, (std::vector<std::string>{"reload", "start", "--changelog", "--wait"}));
  std::vector<std::string> other{"outages", "list", "--wait"};
  EXPECT_FALSE(take_wait(other));
}

}  // namespace
}  // namespace checkrelay
