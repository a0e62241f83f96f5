#include "agent/cli/client.h"

#include <gmock/gmock.h>

#include "fake_agent.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;

TEST(HttpAnswer, IsTakenWhereItIsComplete) {
  auto answer = parse_http_answer("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "{}");
  EXPECT_TRUE(parse_http_answer("HTTP/1.1 200 OK\r\n\r\nbody"));
}

TEST(HttpAnswer, IsAnErrorWhereItIsNot) {
  for (const char* bytes : {"", "HTTP/1.1 200 OK\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 xx OK\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody",
                            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 \r\n\r\n"}) {
    EXPECT_FALSE(parse_http_answer(bytes)) << bytes;
  }
}

using Client = testing::InOwnDirectory;

TEST_F(Client, AsksAndReadsToTheEnd) {
  std::string request;
  {
    testing::FakeAgent agent(socket(), [&](testing::Caller& caller, int) {
      request = caller.until("ids");
      caller.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo");
      caller.say("dy");
    });
    auto answer = ask_agent(socket(), "POST", "/v1/x?y=1", "ids");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "body");
  }
  EXPECT_THAT(request, HasSubstr("POST /v1/x?y=1 HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Length: 3\r\n"));
}

TEST_F(Client, SilenceEndsAtTheDeadline) {
  testing::FakeAgent agent(socket(),
                           [](testing::Caller& caller, int) { caller.wait_for_hang_up(); });
  auto answer = ask_agent(socket(), "GET", "/", "", std::chrono::milliseconds(50));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unavailable);
}

TEST_F(Client, NobodyThereIsSaidWithTheSocketsName) {
  auto answer = ask_agent(socket(), "GET", "/", "");
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, HasSubstr(socket()));
}

TEST_F(Client, PathThatFitsNoSocketIsAnError) {
  EXPECT_FALSE(AgentSocket::connect("/" + std::string(200, 'x'), deadline_in({})));
  EXPECT_FALSE(AgentSocket::connect("", deadline_in({})));
}

TEST_F(Client, ReplyWithoutAnEndIsGivenUp) {
  testing::FakeAgent agent(socket(), [](testing::Caller& caller, int) {
    caller.say(std::string(2'000'000, 'x'));
    caller.wait_for_hang_up();
  });
  auto link = AgentSocket::connect(socket(), deadline_in(std::chrono::seconds(30)));
  ASSERT_TRUE(link);
  auto line = link->read_line(deadline_in(std::chrono::seconds(30)));
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().what, "the agent's reply has no end");
}

}  // namespace
}  // namespace checkrelay
