#include "tests/contract/stream_contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>

namespace checkrelay::test {

Player::Player(const Dialect& dialect, const InboundContext& context)
    : conversation_(dialect.inbound(context)) {
  if (!conversation_) return;
  Actions actions;
  conversation_->start(now_, actions);
  perform(actions);
}

void Player::perform(Actions& actions) {
  EXPECT_FALSE(heard_.closed);
  for (Message& m : actions.send) heard_.replies += m.body;
  for (Refusal& r : actions.refused) heard_.refused.push_back(std::move(r));
  for (Submission& s : actions.submit) {
    EXPECT_FALSE(s.results.empty());
    open_.push_back({s.ticket, heard_.results.size(), s.results.size()});
    for (CheckResult& r : s.results) heard_.results.push_back(std::move(r));
  }
  heard_.closed = actions.close;
  EXPECT_FALSE(actions.close && !open_.empty()) << "closed while results are unanswered";
}

void Player::feed(std::string_view piece) {
  if (!alive()) return;
  Actions actions;
  conversation_->receive(Message::bytes(std::string(piece)), now_, actions);
  perform(actions);
}

void Player::feed_in_chunks(std::string_view input, std::size_t size) {
  for (std::size_t at = 0; at < input.size(); at += size) feed(input.substr(at, size));
}

void Player::finish() {
  if (!alive()) return;
  Actions actions;
  conversation_->finish(now_, actions);
  perform(actions);
}

void Player::advance(Duration d) {
  now_.steady += d;
  now_.wall += d;
  if (!alive()) return;
  Actions actions;
  conversation_->expire(now_, actions);
  perform(actions);
}

void Player::settle(std::size_t index, bool ok, Errc code) {
  Open open = open_[index];
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < open.count; ++i) {
    Outcome outcome{ok, {}, code, {}};
    (ok ? outcome.id : outcome.error) = ok ? std::to_string(open.first + i + 1) : "not yours";
    outcomes.push_back(std::move(outcome));
  }
  if (!alive()) return;
  Actions actions;
  conversation_->settle(open.ticket, outcomes, now_, actions);
  perform(actions);
}

void Player::settle_next(bool ok, Errc code) { settle(0, ok, code); }
void Player::settle_last() { settle(open_.size() - 1, true, Errc::invalid); }
void Player::settle_all() {
  while (!open_.empty()) settle_next();
}

Heard play(const StreamCase& c, std::size_t chunk) {
  Player player(*c.dialect, c.context);
  player.feed_in_chunks(c.input, chunk == 0 ? std::max<std::size_t>(c.input.size(), 1) : chunk);
  player.finish();
  player.settle_all();
  return player.heard();
}

namespace {

class StreamContract : public testing::TestWithParam<StreamCase> {};

void expect_same(const Heard& a, const Heard& b) {
  EXPECT_EQ(a.results, b.results);
  EXPECT_EQ(a.replies, b.replies);
  ASSERT_EQ(a.refused.size(), b.refused.size());
  for (std::size_t i = 0; i < a.refused.size(); ++i) {
    EXPECT_EQ(a.refused[i].line, b.refused[i].line);
    EXPECT_EQ(a.refused[i].what, b.refused[i].what);
  }
}

TEST_P(StreamContract, TakesEveryResultOfItsInput) {
  Heard heard = play(GetParam());
  EXPECT_EQ(heard.results.size(), GetParam().results);
  EXPECT_TRUE(heard.closed);
}

TEST_P(StreamContract, ChunksMakeNoDifference) {
  Heard whole = play(GetParam());
  std::size_t limit = std::min<std::size_t>(GetParam().input.size(), 97);
  for (std::size_t chunk = 1; chunk <= limit; ++chunk) {
    SCOPED_TRACE(chunk);
    expect_same(whole, play(GetParam(), chunk));
  }
}

TEST_P(StreamContract, AcknowledgesNothingBeforeItIsSettled) {
  Player player(*GetParam().dialect, GetParam().context);
  player.feed_in_chunks(GetParam().input, 1);
  player.finish();
  EXPECT_EQ(player.heard().replies.find("\"ok\":true"), std::string::npos);
  EXPECT_GT(player.open(), 0U);
  EXPECT_FALSE(player.heard().closed);
}

TEST_P(StreamContract, RepliesKeepTheOrderOfTheInput) {
  Player backwards(*GetParam().dialect, GetParam().context);
  backwards.feed_in_chunks(GetParam().input, 3);
  backwards.finish();
  while (backwards.open() > 0) backwards.settle_last();
  EXPECT_EQ(backwards.heard().replies, play(GetParam(), 3).replies);
  EXPECT_TRUE(backwards.heard().closed);
}

TEST_P(StreamContract, EveryPrefixEndsInAClose) {
  for (std::size_t size = 0; size <= GetParam().input.size(); ++size) {
    StreamCase cut = GetParam();
    cut.input.resize(size);
    EXPECT_TRUE(play(cut).closed) << size;
  }
}

TEST_P(StreamContract, ADeadLinkIsForgottenAnywhere) {
  for (std::size_t size = 0; size <= GetParam().input.size(); size += 7) {
    Player player(*GetParam().dialect, GetParam().context);
    player.feed(std::string_view(GetParam().input).substr(0, size));
  }
}

TEST_P(StreamContract, AnUnknownTicketIsIgnored) {
  auto conversation = GetParam().dialect->inbound(GetParam().context);
  ASSERT_NE(conversation, nullptr);
  Actions actions;
  conversation->settle(4711, {}, {}, actions);
  EXPECT_TRUE(actions.send.empty());
}

TEST_P(StreamContract, GarbageEndsInAClose) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    StreamCase garbage = GetParam();
    for (int flips = round % 9; flips >= 0; --flips)
      garbage.input[random() % garbage.input.size()] = static_cast<char>(random());
    EXPECT_TRUE(play(garbage, 1 + random() % 50).closed);
    for (char& c : garbage.input) c = static_cast<char>(random());
    EXPECT_TRUE(play(garbage, 1 + random() % 50).closed);
  }
}

INSTANTIATE_TEST_SUITE_P(All, StreamContract, testing::ValuesIn(stream_cases()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace checkrelay::test
