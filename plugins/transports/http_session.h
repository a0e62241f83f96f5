// HTTP/1 server on one connection: a request at a time goes to the conversation, its response back;
// what is pipelined waits its turn.
#pragma once

#include <memory>
#include <string>

#include "plugins/transports/exchange.h"
#include "plugins/transports/http_parser.h"
#include "plugins/transports/inbound_connection.h"

namespace checkrelay {

class HttpSession final : public Session, private Exchange::Pipe {
 public:
  HttpSession(InboundConnection& connection, std::unique_ptr<Conversation> conversation);
  ~HttpSession() override;

  void start() override { exchange_->start(); }
  void receive(std::string_view bytes) override;
  void finish() override;
  [[nodiscard]] bool ready() const override { return !busy_ && input_.empty(); }
  void resume() override { pump(); }
  [[nodiscard]] bool owes() const override { return busy_; }
  [[nodiscard]] bool finished() const override { return at_end_ && !busy_ && input_.empty(); }
  [[nodiscard]] std::optional<Steady> deadline() const override;
  void expire() override;
  [[nodiscard]] bool midway() const override { return !busy_ && parser_.started(); }
  void rearm() override;

 private:
  void deliver(Message&& message, bool last) override;
  void conclude() override;
  void progressed() override { connection_.update(); }

  void pump();
  void take_request();
  void ask_for_body();
  void hold(std::size_t bytes);
  void parse();
  void answer_fault(HttpFault fault);
  void respond(const Message& response, bool close);

  InboundConnection& connection_;
  HttpParser parser_;
  std::shared_ptr<Exchange> exchange_;
  std::string input_;  // read; parsed up to used_
  std::size_t used_ = 0;
  std::size_t held_ = 0;    // of DoorState::held_bodies
  bool busy_ = false;       // a request is with the conversation
  bool keep_alive_ = true;  // after the present request
  bool head_only_ = false;  // the present request is a HEAD
  bool http10_ = false;
  bool asked_ = false;  // 100 Continue was sent for the present request
  bool at_end_ = false;
  Steady head_since_{};  // first byte of the request that is coming in
  Steady body_since_{};  // end of its head
};

}  // namespace checkrelay
