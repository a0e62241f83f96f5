#include "plugins/transports/http_session.h"

#include <algorithm>
#include <utility>

#include "plugins/transports/http_text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kSecondsWorth = 16 * 1024;       // bytes of body that earn a second more time
constexpr std::size_t kHeldBodies = 64 * 1024 * 1024;  // bytes of requests in memory, a whole door

}  // namespace

HttpSession::HttpSession(InboundConnection& connection, std::unique_ptr<Conversation> conversation)
    : connection_(connection),
      parser_(HttpLimits{.body = connection.door().max_body}),
      exchange_(std::make_shared<Exchange>(connection.door().loop, connection.door().receiver,
                                           connection.peer(), std::move(conversation),
                                           static_cast<Exchange::Pipe&>(*this))) {}

HttpSession::~HttpSession() {
  hold(0);
  exchange_->drop();
}

void HttpSession::receive(std::string_view bytes) {
  input_.append(bytes);
  pump();
}

void HttpSession::pump() {
  while (!busy_ && !input_.empty() && !connection_.ending()) {
    parse();
    const DoorState& door = connection_.door();
    if (parser_.fault()) {
      answer_fault(*parser_.fault());
    } else if (door.held_bodies > std::max(kHeldBodies, 2 * door.max_body)) {
      answer_fault({503, "too much is being received at once, try again"});
    } else if (parser_.complete()) {
      take_request();
    } else {
      ask_for_body();
    }
  }
  if (at_end_ && !busy_ && input_.empty() && parser_.started() && !connection_.ending())
    answer_fault({400, "the request ended early"});
}

void HttpSession::parse() {
  if (!parser_.started()) rearm();
  if (!parser_.head_complete()) body_since_ = connection_.door().loop.now().steady;
  used_ += parser_.feed(std::string_view(input_).substr(used_));
  if (used_ == input_.size()) {
    input_.clear();
    used_ = 0;
  }
  hold(parser_.held());
}

void HttpSession::ask_for_body() {
  if (asked_ || !parser_.expects_continue() || !input_.empty()) return;
  asked_ = true;
  connection_.send("HTTP/1.1 100 Continue\r\n\r\n");
}

void HttpSession::take_request() {
  busy_ = true;
  asked_ = false;
  keep_alive_ = parser_.keep_alive();
  head_only_ = parser_.is_head();
  http10_ = parser_.is_http10();
  exchange_->receive(parser_.take());
}

// Keeps the door's account of what requests hold in memory; a request counts until it is answered.
void HttpSession::hold(std::size_t bytes) {
  std::size_t& all = connection_.door().held_bodies;
  all = all - held_ + bytes;
  held_ = bytes;
}

void HttpSession::deliver(Message&& message, bool last) {
  if (!busy_) return;
  if (message.kind != Message::Kind::response)
    message = refusal_response(500, "the answer is no HTTP response");
  respond(message, last || !keep_alive_ || connection_.door().stopping);
}

void HttpSession::conclude() {
  if (busy_) respond(refusal_response(500, "no answer"), true);
  connection_.close();
}

void HttpSession::respond(const Message& response, bool close) {
  busy_ = false;
  hold(0);
  connection_.send(format_response(response,
                                   {.omit_body = head_only_, .close = close, .http10 = http10_},
                                   connection_.door().loop.now().wall));
  if (close) connection_.close();
}

// A copy: the parser that holds it is emptied on the way.
void HttpSession::answer_fault(HttpFault fault) {
  Message response = refusal_response(fault.status, fault.what);
  if (fault.status == 405)
    response.headers.push_back({"Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"});
  if (fault.status == 503) response.headers.push_back({"Retry-After", "1"});
  const Refusal refusal{0, "HTTP " + std::to_string(fault.status) + ": " + fault.what};
  connection_.door().receiver.refused(connection_.peer(), {&refusal, 1});
  head_only_ = parser_.head_complete() && parser_.is_head();
  std::string().swap(input_);
  used_ = 0;
  parser_.discard();
  respond(response, true);
}

void HttpSession::finish() {
  at_end_ = true;
  if (!busy_ && input_.empty() && parser_.started()) answer_fault({400, "the request ended early"});
}

std::optional<Steady> HttpSession::deadline() const {
  const auto asked = exchange_->deadline();
  if (busy_) return asked;
  const DoorState& door = connection_.door();
  Steady due = connection_.active() + door.idle;
  if (parser_.head_complete()) {
    due = body_since_ + door.body + std::chrono::seconds(parser_.held() / kSecondsWorth);
  } else if (parser_.started()) {
    due = head_since_ + door.header;
  }
  return asked ? std::min(*asked, due) : due;
}

void HttpSession::expire() {
  exchange_->expire();
  const auto due = deadline();
  if (connection_.ending() || busy_ || !due || connection_.door().loop.now().steady < *due) return;
  if (!parser_.started()) return connection_.close();
  answer_fault(
      {408, parser_.head_complete() ? "the body came too slowly" : "the head came too slowly"});
}

void HttpSession::rearm() { head_since_ = body_since_ = connection_.door().loop.now().steady; }

}  // namespace checkrelay
