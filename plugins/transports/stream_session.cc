#include "plugins/transports/stream_session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plugins/transports/http_text.h"

namespace checkrelay {

StreamSession::StreamSession(InboundConnection& connection,
                             std::unique_ptr<Conversation> conversation)
    : connection_(connection),
      exchange_(std::make_shared<Exchange>(connection.door().loop, connection.door().receiver,
                                           connection.peer(), std::move(conversation),
                                           static_cast<Exchange::Pipe&>(*this))) {}

StreamSession::~StreamSession() { exchange_->drop(); }

void StreamSession::receive(std::string_view bytes) {
  exchange_->receive(Message::bytes(std::string(bytes)));
}

void StreamSession::finish() {
  at_end_ = true;
  exchange_->finish();
}

void StreamSession::deliver(Message&& message, bool) { connection_.send(message.body); }

Steady StreamSession::idle_deadline() const {
  return connection_.active() + connection_.door().idle;
}

std::optional<Steady> StreamSession::deadline() const {
  const auto asked = exchange_->deadline();
  if (owes()) return asked;
  return asked ? std::min(*asked, idle_deadline()) : idle_deadline();
}

// The peer may have stopped in the middle of a line: what there is of it is no result.
void StreamSession::expire() {
  exchange_->expire();
  DoorState& door = connection_.door();
  if (connection_.ending() || owes() || door.loop.now().steady < idle_deadline()) return;
  connection_.send(refusal_line("nothing came for " + format_duration(door.idle) + ", closing"));
  connection_.close();
}

}  // namespace checkrelay
