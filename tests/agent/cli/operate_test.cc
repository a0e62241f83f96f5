#include "agent/cli/operate.h"

#include <gmock/gmock.h>

#include "fake_agent.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Operate : public testing::InOwnDirectory {
 protected:
  // Runs `words` against an agent that answers each request like this.
  int run(std::vector<std::string> words, const std::string& answer) {
    testing::FakeAgent agent(socket(), [&](testing::Caller& caller, int) {
      request_ = caller.until("\r\n\r\n");
      caller.say(answer);
    });
    int status = run_alone(std::move(words));
    std::filesystem::remove(socket());
    return status;
  }
  int run_alone(std::vector<std::string> words) {
    words.insert(words.end(), {"-C", socket()});
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    int status = run_cli(std::move(words), client_handlers());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return status;
  }
  std::string request_;
  std::string out_;
  std::string err_;
};

TEST_F(Operate, StatusSaysWhetherAllIsWell) {
  EXPECT_EQ(run({"status"}, http(200, R"({"destinations":[{"name":"a","state":"ok"}]})")), kExitOk);
  EXPECT_THAT(request_, StartsWith("GET /v1/status HTTP/1.1\r\n"));
  EXPECT_EQ(run({"status"}, http(200, R"({"destinations":[{"name":"a","state":"held"}]})")),
            kExitNo);
}

TEST_F(Operate, StatusAsJsonIsTheAgentsOwn) {
  std::string body = "{\"version\":\"9\"}\n";
  EXPECT_EQ(run({"status", "--json"}, http(200, body)), kExitOk);
  EXPECT_EQ(out_, body);
}

TEST_F(Operate, NoAgentHasAStatusOfItsOwn) {
  EXPECT_EQ(run_alone({"status"}), kExitAway);
  EXPECT_THAT(err_, HasSubstr("no agent answers"));
  EXPECT_EQ(run_alone({"queue", "list"}), kExitAway);
}

TEST_F(Operate, FiltersTravelEncoded) {
  EXPECT_EQ(run({"queue", "list", "--host", "db* 1", "--state", "dead"},
                http(200, R"({"rows":[],"more":false})")),
            kExitOk);
  EXPECT_THAT(request_, StartsWith("GET /v1/queue?state=dead&host=db%2A%201&limit=50 HTTP/1.1"));
}

TEST_F(Operate, LimitThatIsNoNumberIsAUsageError) {
  EXPECT_EQ(run_alone({"queue", "list", "--limit", "many"}), kExitUsage);
}

TEST_F(Operate, UnknownResultIsSaid) {
  EXPECT_EQ(run({"queue", "show", "a/b"}, http(404, R"({"error":"no result \"a/b\""})")), kExitNo);
  EXPECT_THAT(request_, StartsWith("GET /v1/queue/a%2Fb HTTP/1.1"));
  EXPECT_EQ(err_, "checkrelay: no result \"a/b\"\n");
}

TEST_F(Operate, RetryNamesItsIds) {
  EXPECT_EQ(run({"queue", "retry", "12", "x", "--destination", "a"}, http(200, R"({"changed":2})")),
            kExitOk);
  EXPECT_THAT(request_, StartsWith("POST /v1/queue/retry?destination=a HTTP/1.1"));
  EXPECT_EQ(out_, "2 offered again\n");
}

TEST_F(Operate, NothingToRetryIsFineUnlessItWasNamed) {
  EXPECT_EQ(run({"queue", "retry"}, http(200, R"({"changed":0})")), kExitOk);
  EXPECT_THAT(out_, Not(HasSubstr("dead")));
  EXPECT_EQ(run({"queue", "retry"}, http(200, R"({"changed":70,"dead":9})")), kExitOk);
  EXPECT_THAT(out_, HasSubstr("9 are still dead: retry again"));
  EXPECT_EQ(run({"queue", "retry", "5"}, http(200, R"({"changed":0})")), kExitNo);
}

TEST_F(Operate, DropWantsAnId) {
  EXPECT_EQ(run_alone({"queue", "drop"}), kExitUsage);
  EXPECT_EQ(run_alone({"queue", "drop", "a\nb"}), kExitUsage);
  EXPECT_EQ(run_alone({"queue", "show"}), kExitUsage);
}

TEST_F(Operate, PauseNamesTheDestinationAndTellsWhatIsUnderWay) {
  EXPECT_EQ(run({"queue", "pause", "cen tral"},
                http(200, R"({"changed":1,"paused_since":"2026-01-05T10:15:00Z","in_flight":3})")),
            kExitOk);
  EXPECT_THAT(request_, StartsWith("POST /v1/queue/pause?destination=cen%20tral HTTP/1.1"));
  EXPECT_EQ(out_, "cen tral is paused since 2026-01-05T10:15:00Z\n3 results are still under way\n");
  EXPECT_EQ(run({"queue", "resume", "a"},
                http(200, R"({"changed":1,"paused_since":null,"in_flight":0})")),
            kExitOk);
  EXPECT_EQ(out_, "a goes on\n");
}

TEST_F(Operate, PauseWantsOneName) {
  EXPECT_EQ(run_alone({"queue", "pause"}), kExitUsage);
  EXPECT_EQ(run_alone({"queue", "resume", "a", "b"}), kExitUsage);
}

TEST_F(Operate, SomebodyElsesSocketIsSaid) {
  EXPECT_EQ(run({"status"}, "SSH-2.0-OpenSSH\r\n\r\n"), kExitNo);
  EXPECT_THAT(err_, HasSubstr("what answers is not the agent"));
}

}  // namespace
}  // namespace checkrelay
