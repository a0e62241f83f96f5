// A receiver with simple conversations, and clients on the same loop, to try the doors with.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/registry.h"
#include "agent/runtime/loop.h"

namespace checkrelay {

// What the test decides and sees. Each line of a stream is a result, whose host is the line.
class FakeReceiver final : public Receiver {
 public:
  explicit FakeReceiver(Loop& loop) : loop_(loop) {}

  std::unique_ptr<Conversation> accept(const Peer& peer, const InboundContext& context,
                                       std::string& why) override;
  void submit(const Peer& peer, Submission submission,
              std::function<void(std::vector<Outcome>)> done) override;
  void inquire(const Peer& peer, Message request, std::function<void(Message)> done) override;
  void refused(const Peer& peer, std::span<const Refusal> refusals) override;
  [[nodiscard]] bool congested() const override { return is_congested; }

  void settle_all();  // calls back every submission that waits now

  bool settles_at_once = true;  // at the end of the turn
  bool is_congested = false;
  std::string no;           // why nobody is admitted
  std::vector<Peer> peers;  // of accept()
  std::vector<InboundContext> contexts;
  std::vector<std::string> results;  // hosts, in order of submission
  std::vector<Peer> submitters;
  std::vector<std::string> refusals;
  std::vector<Message> requests;  // HTTP, as the conversation saw them
  std::deque<std::function<void()>> waiting;

 private:
  Loop& loop_;
};

// Lines: "close" closes, "bad" is refused, a line over max_result is refused and closes, "big N" is
// answered with N bytes. HTTP: /now is answered at once, /operator is an inquiry, /close closes;
// else the body is one result.
class FakeConversation;

// One end of a socket, on the loop.
class Client {
 public:
  Client(Loop& loop, int fd);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);  // what does not fit leaves when it does
  void shut_down();                   // sends no more
  void close(bool reset = false);
  void read(bool wanted);  // on from the start
  [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }
  [[nodiscard]] std::size_t lines();  // received
  [[nodiscard]] bool over() const { return ended || broken; }

  std::string received;
  bool ended = false;   // the other side sends no more
  bool broken = false;  // reset

 private:
  void watch();
  void on_ready(int events);
  uv_poll_t* poll_;
  int fd_;
  bool reads_ = true;
  bool shut_ = false;
  std::size_t lines_ = 0;
  std::size_t counted_ = 0;  // bytes
  std::string unsent_;
};

struct World {
  World();
  ~World();
  void open(std::string_view kind);  // with `options` and `limits`; a fault fails the test
  [[nodiscard]] Result<std::unique_ptr<Listener>> try_open(std::string_view kind);
  std::unique_ptr<Client> client();  // connected to the door
  std::unique_ptr<Client> unix_client(const std::string& path);
  std::unique_ptr<Client> tcp_client();
  [[nodiscard]] bool until(const std::function<bool()>& done);
  void turn();         // one turn that does not wait
  void settle_down();  // as many turns as there is something to do at once
  [[nodiscard]] std::string file(const std::string& name) const { return directory + "/" + name; }
  [[nodiscard]] int port() const;

  std::string directory;
  Loop loop;
  FakeReceiver receiver{loop};
  Options options;
  Options limits;
  std::unique_ptr<Listener> door;
};

}  // namespace checkrelay
