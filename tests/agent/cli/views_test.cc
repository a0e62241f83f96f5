#include "agent/cli/views.h"

#include <gmock/gmock.h>

#include "agent/cli/table.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;

std::string status_with(const std::string& state, int dead, const std::string& more = "") {
  return R"({"version":"0.1.0","uptime_s":3725.2,
 "journal":{"pending":7,"dead":)" +
         std::to_string(dead) + R"(,"bytes":40960,"oldest_pending_s":35.5},
 "intakes":[{"type":"unix","where":"/run/s","accepted":10,"refused":1}],
 "destinations":[{"name":"central","type":"op5","state":")" +
         state + R"(","pending":7,"in_flight":0,"delivered":10,"superseded":0,"expired":0,
   "dead":0,"retries":2,"last_error":"HTTP 500\u001b[31m","next_attempt_s":12)" +
         more + "}]}";
}

TEST(StatusView, IsAlignedForPeople) {
  auto view = status_view(status_with("backoff", 0));
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->well);
  EXPECT_EQ(view->text,
            "checkrelay 0.1.0, up 1h2m5s\n"
            "journal: 7 pending (the oldest for 36s), 0 dead, 40 KiB on disk\n"
            "\n"
            "INTAKE  WHERE   ACCEPTED  REFUSED\n"
            "unix    /run/s        10        1\n"
            "\n"
            "DESTINATION  TYPE  STATE    PENDING  IN FLIGHT  DELIVERED  SUPERSEDED  EXPIRED  DEAD  "
            "RETRIES\n"
            "central      op5   backoff        7          0         10           0        0     0  "
            "      2\n"
            "\n"
            "central: HTTP 500 [31m; next try in 12s\n");
}

TEST(StatusView, IsWellWhereNothingNeedsSomebody) {
  EXPECT_TRUE(status_view(status_with("ok", 0))->well);
  EXPECT_FALSE(status_view(status_with("ok", 1))->well);
  EXPECT_FALSE(status_view(status_with("auth", 0))->well);
}

TEST(StatusView, TellsOfAHeartbeatThatIsRefusedAndIsWellAllTheSame) {
  const std::string refused =
      R"(,"heartbeat":{"sent":0,"refused":3,"taken":false,"last_answer":"HTTP 404"})";
  auto view = status_view(status_with("ok", 0, refused));
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->well);
  EXPECT_THAT(view->text, HasSubstr("central: the heartbeat is refused: HTTP 404\n"));
  for (const char* fine : {R"(,"heartbeat":{"taken":true,"last_answer":null})",
                           R"(,"heartbeat":{"taken":null})", R"(,"heartbeat":3)"})
    EXPECT_THAT(status_view(status_with("ok", 0, fine))->text,
                ::testing::Not(HasSubstr("heartbeat")));
}

TEST(StatusView, TellsOfLocalChecksWhereThereAreAny) {
  auto with = [](const std::string& checks) {
    return status_view(R"({"uptime_s":1,"journal":{},"checks":)" + checks + "}");
  };
  EXPECT_EQ(with(R"({"configured":0})")->text.find("local checks"), std::string::npos);
  const std::string some = R"({"configured":12,"running":2,"waiting":0,"runs":99,"skipped":4,)";
  const auto plain = with(some + R"("late":0,"worst_late_s":0.2})");
  EXPECT_THAT(plain->text,
              HasSubstr("\nlocal checks: 12, 2 running, 0 waiting, 99 runs, 4 skipped\n"));
  EXPECT_TRUE(plain->well);
  EXPECT_THAT(with(some + R"("late":3,"worst_late_s":12.0})")->text,
              HasSubstr("4 skipped, 3 late (at worst 12s)\n"));
}

std::string status_of_source(const std::string& state) {
  return R"({"uptime_s":1,"journal":{},"outages":[{"name":"nmis","type":"opmantek","state":")" +
         state + R"(","effect":"mark","fetched":"2026-01-05T10:15:00Z","outages":3,"in_force":1,
             "left_out":2,"last_error":"HTTP 500"}]})";
}

TEST(StatusView, TellsOfSourcesOfOutages) {
  auto view = status_view(status_of_source("away"));
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->well);
  EXPECT_THAT(view->text,
              HasSubstr("nmis     opmantek  away   mark        3         1  2026-01-05"));
  EXPECT_THAT(view->text, HasSubstr("nmis: HTTP 500\nnmis: 2 left out, the log says why\n"));
  EXPECT_TRUE(status_view(status_of_source("ok"))->well);
  EXPECT_FALSE(status_view(status_of_source("stale"))->well);
}

TEST(StatusView, WhatAnOutageHoldsIsWell) {
  const std::string held = R"({"journal":{},"destinations":[{"name":"out","state":"held","held":2,
      "last_error":null,"next_attempt_s":)";
  auto view = status_view(held + "null}]}");
  EXPECT_TRUE(view->well);
  EXPECT_THAT(view->text, HasSubstr("out: planned outages hold 2 of what is pending"));
  EXPECT_FALSE(status_view(held + "12}]}")->well) << "the upstream has asked to wait";
}

TEST(StatusView, SaysThatTlsIsNotVerified) {
  auto view = status_view(status_with("ok", 0, ",\"insecure\":true"));
  EXPECT_THAT(view->text, HasSubstr("TLS is not verified"));
}

TEST(StatusView, SaysThatADestinationIsPaused) {
  auto view = status_view(status_with("paused", 0, R"(,"paused_since":"2026-01-05T10:15:00Z")"));
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->well);
  EXPECT_THAT(view->text,
              HasSubstr("central: paused by the operator since 2026-01-05T10:15:00Z; HTTP 500"));
}

TEST(Landing, CountsWhatIsUnderWayAtPausedDestinationsAlone) {
  const std::string status = R"({"destinations":[
    {"name":"a","in_flight":3,"paused_since":null},
    {"name":"b","in_flight":5,"paused_since":"2026-01-05T10:15:00Z"},
    {"name":"c","in_flight":7,"paused_since":"2026-01-05T10:15:00Z"}]})";
  EXPECT_EQ(landing_in(status, "").value(), 12);
  EXPECT_EQ(landing_in(status, "b").value(), 5);
  EXPECT_EQ(landing_in(status, "a").value(), 0);
  EXPECT_EQ(landing_in(status, "nowhere").value(), 0);
  EXPECT_FALSE(landing_in("SSH-2.0", ""));
}

TEST(PauseView, SaysWhatIsNow) {
  EXPECT_EQ(pause_view(R"({"changed":0,"paused_since":"T","in_flight":0})", "a").value(),
            "a was paused since T\n");
  EXPECT_EQ(pause_view(R"({"changed":0,"paused_since":null,"in_flight":4})", "a").value(),
            "a was not paused\n");
}

TEST(StatusView, ForeignAnswersAreErrorsOrEmpty) {
  for (const char* text : {"", "[]", "<html>", "{", "null", "{\"destinations\":[{\"name\":{}"}) {
    EXPECT_FALSE(status_view(text)) << text;
  }
  EXPECT_FALSE(status_view(R"({"destinations":[5]})"));
  EXPECT_TRUE(status_view(R"({"journal":5,"destinations":{},"uptime_s":"x"})"));
}

TEST(QueueView, ShowsARowAResult) {
  auto view = queue_list_view(
      R"({"rows":[{"seq":12,"id":"x","destination":"central","state":"dead","host":"db1",
      "service":"","result_state":"DOWN","output":"o","received":"2026-01-05T10:15:00.250Z",
      "tries":3,"answer":"unknown host"}],"more":true,"next":12})");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->rows, 1u);
  EXPECT_EQ(
      view->text,
      "ID  DESTINATION  STATE  HOST  SERVICE  RESULT  RECEIVED                  TRIES  ANSWER\n"
      "12  central      dead   db1            DOWN    2026-01-05T10:15:00.250Z      3  unknown "
      "host\n"
      "There may be more: --after 12\n");
}

TEST(QueueView, PageThatEndedEarlySaysHowToGoOn) {
  auto view = queue_list_view(R"({"rows":[],"more":true,"next":40000})");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->next, "40000");
  EXPECT_EQ(view->text, "no results\nThere may be more: --after 40000\n");
}

TEST(QueueView, EmptyQueueIsSaid) {
  EXPECT_EQ(queue_list_view(R"({"rows":[],"more":false})")->text, "no results\n");
}

TEST(StoryView, TellsEachTry) {
  auto view = queue_story_view(
      R"({"id":"x","host":"db1","service":"Backup","state":"OK","output":"fine\nreally",
      "perfdata":"","time":"T1","received":"T2","check_source":"",
      "destinations":[{"name":"central","state":"delivered","tries":2,"answer":"200"}],
      "story":[{"at":"T2","destination":"","what":"received","answer":""},
      {"at":"T3","destination":"central","what":"tried","answer":"HTTP 500"}]})");
  ASSERT_TRUE(view);
  EXPECT_EQ(*view,
            "id           x\nhost         db1\nservice      Backup\nstate        OK\n"
            "output       fine really\ntime         T1\nreceived     T2\n\n"
            "DESTINATION  STATE      TRIES  ANSWER\n"
            "central      delivered      2  200\n\n"
            "T2  received\nT3  tried at central: HTTP 500\n");
}

TEST(Plain, LeavesNothingForATerminalToActOn) {
  EXPECT_EQ(plain("a\x1b[2J\n\xc2\x9b"
                  "b\x7f",
                  60),
            "a [2J  b ");
  EXPECT_EQ(plain("\xc3\xa4\xc3\xb6\xc3\xbc", 3), "\xc3\xa4\xc3\xb6\xc3\xbc");
  EXPECT_EQ(plain("abcdefgh", 5), "ab...");
}

TEST(Error, IsTakenFromTheAnswer) {
  EXPECT_EQ(error_in(R"({"error":"no such result"})"), "no such result");
  EXPECT_EQ(error_in("<html>"), "<html>");
}

}  // namespace
}  // namespace checkrelay
