// Bytes in, replies out, on the same pipe.
#pragma once

#include <memory>

#include "plugins/transports/exchange.h"
#include "plugins/transports/inbound_connection.h"

namespace checkrelay {

class StreamSession final : public Session, private Exchange::Pipe {
 public:
  StreamSession(InboundConnection& connection, std::unique_ptr<Conversation> conversation);
  ~StreamSession() override;

  void start() override { exchange_->start(); }
  void receive(std::string_view bytes) override;
  void finish() override;
  [[nodiscard]] bool ready() const override { return exchange_->ready() && !exchange_->closed(); }
  [[nodiscard]] bool owes() const override { return exchange_->owes(); }
  [[nodiscard]] bool finished() const override { return at_end_ && !owes(); }
  [[nodiscard]] std::optional<Steady> deadline() const override;
  void expire() override;
  [[nodiscard]] bool midway() const override { return exchange_->midway(); }

 private:
  void deliver(Message&& message, bool last) override;
  void conclude() override { connection_.close(); }
  void progressed() override { connection_.update(); }
  [[nodiscard]] Steady idle_deadline() const;

  InboundConnection& connection_;
  std::shared_ptr<Exchange> exchange_;
  bool at_end_ = false;
};

}  // namespace checkrelay
