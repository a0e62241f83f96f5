// Drives one inbound conversation: feeds it, and after each call performs what it asked for. What
// it sends goes to the Pipe, what it submits to the Receiver. Callbacks that are still out hold the
// exchange weakly: once its pipe drops it, they find nobody.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "agent/port/transport.h"
#include "agent/runtime/loop.h"

namespace checkrelay {

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  class Pipe {
   public:
    virtual ~Pipe() = default;
    virtual void deliver(Message&& message,
                         bool last) = 0;  // `last`: the conversation closes with it
    virtual void conclude() = 0;          // the conversation has closed
    virtual void progressed() = 0;        // something was settled: reading may go on
  };
  // Results and bytes that may wait for the journal on one pipe before nothing more is read from
  // it: enough for several group commits, little enough for a thousand pipes.
  static constexpr std::size_t kMaxResults = 2048;
  static constexpr std::size_t kMaxBytes = 512 * 1024;

  // Everything given by reference must outlive the exchange, `pipe` only until drop().
  Exchange(Loop& loop, Receiver& receiver, Peer peer, std::unique_ptr<Conversation> conversation,
           Pipe& pipe);

  void start();
  void receive(Message&& message);
  void finish();
  void expire();  // where the conversation's deadline has come; a no-op else
  void drop() { pipe_ = nullptr; }

  [[nodiscard]] std::optional<Steady> deadline() const;
  [[nodiscard]] bool ready() const {
    return results_ + refusals_ < kMaxResults && bytes_ < kMaxBytes;
  }
  [[nodiscard]] bool owes() const {
    return out_ > 0;
  }  // submissions or inquiries are not yet answered
  [[nodiscard]] bool midway() const { return !closed_ && conversation_->midway(); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }

 private:
  template <typename Call>
  void step(Call call);
  void perform(Actions& actions);
  void submit(Submission submission);
  void inquire(Ticket ticket);

  Loop& loop_;
  Receiver& receiver_;
  Peer peer_;
  std::unique_ptr<Conversation> conversation_;
  Pipe* pipe_;
  Message request_{};  // the latest, for an inquiry
  std::size_t out_ = 0;
  std::size_t results_ = 0;
  std::size_t bytes_ = 0;
  std::size_t refusals_ = 0;  // whose replies may wait behind what is not settled
  bool closed_ = false;
};

}  // namespace checkrelay
