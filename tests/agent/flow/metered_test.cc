#include "agent/flow/metered.h"

#include <gtest/gtest.h>

#include <vector>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

// Says what it is told, in the order of calls.
struct Talker : Conversation {
  explicit Talker(std::vector<std::string>& heard) : heard_(heard) {}
  void say(Actions& out, const std::string& what) {
    heard_.push_back(what);
    out.send.push_back(Message::bytes(what));
  }
  void start(Instant, Actions& out) override { say(out, "start"); }
  void receive(Message in, Instant, Actions& out) override { say(out, in.body); }
  void finish(Instant, Actions& out) override { out.close = true; }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions& out) override {
    say(out, "settled");
  }
  [[nodiscard]] std::optional<Steady> deadline() const override { return Steady(7s); }
  void expire(Instant, Actions& out) override { say(out, "late"); }
  std::vector<std::string>& heard_;
};

TEST(Metered, CountsWhatIsSentWhenItIsSentAndPassesEverythingOn) {
  std::vector<std::string> heard;
  std::vector<std::size_t> counted;
  auto talk = metered(std::make_unique<Talker>(heard), [&](std::size_t bytes, Steady now) {
    EXPECT_EQ(now, Steady(3s));
    counted.push_back(bytes);
  });
  const Instant now{Steady(3s), {}};
  Actions out;
  talk->start(now, out);
  talk->receive(Message::bytes("four"), now, out);
  talk->expire(now, out);
  talk->finish(now, out);
  EXPECT_TRUE(out.close);
  EXPECT_EQ(talk->deadline(), Steady(7s));
  EXPECT_EQ(heard, (std::vector<std::string>{"start", "four", "late"}));
  EXPECT_EQ(counted, (std::vector<std::size_t>{5, 4, 4}))
      << "each once, though all stand in one list";
}

TEST(SentSize, IsTheBodyAndForARequestItsHead) {
  EXPECT_EQ(sent_size(Message::bytes("12345")), 5U);
  Message request = Message::request("POST", "http://a/b", std::string(1000, 'x'));
  const std::size_t bare = sent_size(request);
  EXPECT_GT(bare, 1014U);
  EXPECT_LT(bare, 1200U);
  request.headers.push_back({"Content-Type", "application/json"});
  EXPECT_EQ(sent_size(request), bare + 32);
  request.credentials = Credentials{"user", Secret("password")};
  EXPECT_GT(sent_size(request), bare + 32 + 16);
}

}  // namespace
}  // namespace checkrelay
