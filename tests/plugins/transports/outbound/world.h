// What a test of a carrier needs: a loop that is driven until something holds, and conversations
// that record.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/port/transport.h"
#include "agent/runtime/loop.h"

namespace checkrelay::testing_peer {

// Runs the loop until `holds`; false after a generous while.
inline bool drive(Loop& loop, const std::function<bool()>& holds) {
  bool late = false;
  Timer watchdog(loop, [&] { late = true; });
  watchdog.at(loop.now().steady + std::chrono::seconds(30));
  while (!holds() && !late) loop.run_once();
  return holds();
}

// Sends its messages one after the other and records what comes back; one verdict at the end.
class Asking : public Conversation {
 public:
  using Answers = std::shared_ptr<std::vector<Message>>;
  Asking(std::vector<Message> messages, Answers answers)
      : messages_(std::move(messages)), answers_(std::move(answers)) {}
  void start(Instant, Actions& out) override { send(out); }
  void receive(Message in, Instant, Actions& out) override {
    bool failure = in.kind == Message::Kind::failure;
    answers_->push_back(std::move(in));
    failure ? close(out) : send(out);
  }
  void finish(Instant, Actions& out) override { close(out); }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  void send(Actions& out) {
    if (next_ == messages_.size()) return close(out);
    out.send.push_back(messages_[next_++]);
  }
  static void close(Actions& out) {
    out.verdicts.push_back({0, Judgement::delivered, "", std::nullopt});
    out.close = true;
  }
  std::vector<Message> messages_;
  Answers answers_;
  std::size_t next_ = 0;
};

// A carrier under test: what its conversations got, and how often each `done` came.
class World {
 public:
  Loop loop;
  std::unique_ptr<Carrier> carrier;
  Asking::Answers answers = std::make_shared<std::vector<Message>>();
  int done = 0;
  std::size_t verdicts = 0;

  void carry(std::vector<Message> messages) {
    const int before = done;
    carrier->carry(std::make_unique<Asking>(std::move(messages), answers),
                   [this](std::vector<Verdict> v) {
                     ++done;
                     verdicts += v.size();
                   });
    EXPECT_EQ(done, before) << "done from within carry()";
  }
  // Carries one conversation to its end and returns its last answer.
  Message ask(std::vector<Message> messages) {
    const int before = done;
    carry(std::move(messages));
    EXPECT_TRUE(drive(loop, [&] { return done > before; }));
    return answers->empty() ? Message{} : answers->back();
  }
  Message ask(Message message) { return ask(std::vector<Message>{std::move(message)}); }
};

}  // namespace checkrelay::testing_peer
