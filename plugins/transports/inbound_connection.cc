#include "plugins/transports/inbound_connection.h"

#include <algorithm>
#include <utility>

#include "plugins/transports/http_session.h"
#include "plugins/transports/http_text.h"
#include "plugins/transports/stream_session.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxUnwritten =
    256 * 1024;  // bytes a slow reader may leave with us while we read on
constexpr std::size_t kMaxDiscarded =
    4 * 1024 * 1024;              // bytes read and dropped so that an answer is read
constexpr Duration kLinger = 2s;  // and for how long
constexpr Duration kGrace = 2s;   // for the rest of a message, at a stop
constexpr Duration kSilentRefusal =
    250ms;  // how long a peer that is turned away may leave open what it speaks

}  // namespace

void log_turned_away(DoorState& door, const Peer& peer, std::string_view why) {
  std::uint64_t suppressed = 0;
  if (!door.gate.open(door.loop.now(), suppressed)) return;
  log(Level::warn, "peer turned away",
      {{"intake", door.kind},
       {"where", door.where},
       {"peer", peer.where},
       {"why", why},
       {"not_logged", suppressed}});
}

InboundConnection::InboundConnection(DoorState& door, std::unique_ptr<ByteStream> stream, Peer peer,
                                     Speech speech)
    : door_(door),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      speech_(speech),
      active_(door.loop.now().steady),
      timer_(door.loop, [this] { on_deadline(); }) {
  stream_->set_owner(*this);
}

InboundConnection::~InboundConnection() = default;

void InboundConnection::start() {
  if (speech_ != Speech::sniffed) open_session(speech_);
  update();
}

void InboundConnection::turn_away(int status, std::string why) {
  log_turned_away(door_, peer_, why);
  refusal_ = std::move(why);
  refusal_status_ = status;
  if (speech_ != Speech::sniffed) say_no(speech_);
  update();
}

void InboundConnection::stop() { update(); }

void InboundConnection::on_bytes(std::string_view bytes) {
  active_ = door_.loop.now().steady;
  if (phase_ == Phase::ending) discarded_ += bytes.size();
  if (phase_ == Phase::open && session_) {
    session_->receive(bytes);
  } else if (phase_ == Phase::open) {
    sniff_more(bytes);
  }
  update();
}

void InboundConnection::sniff_more(std::string_view bytes) {
  sniffed_.append(bytes);
  const Speaks speaks = sniff(sniffed_);
  if (speaks == Speaks::undecided && !at_end_) return;
  const Speech speech = speaks == Speaks::http ? Speech::http : Speech::stream;
  if (!refusal_.empty()) return say_no(speech);
  open_session(speech);
  const std::string first = std::exchange(sniffed_, {});
  if (session_ && !first.empty()) session_->receive(first);
}

void InboundConnection::open_session(Speech speech) {
  const bool http = speech == Speech::http;
  peer_.http = http;
  InboundContext context;
  context.framing = http ? Framing::http : Framing::stream;
  context.max_result = door_.max_result;
  std::string why;
  auto conversation = door_.receiver.accept(peer_, context, why);
  if (!conversation) {
    log_turned_away(door_, peer_, why);
    refusal_ = why.empty() ? "not admitted" : std::move(why);
    return say_no(speech);
  }
  if (http) {
    session_ = std::make_unique<HttpSession>(*this, std::move(conversation));
  } else {
    session_ = std::make_unique<StreamSession>(*this, std::move(conversation));
  }
  session_->start();
}

void InboundConnection::say_no(Speech speech) {
  if (phase_ != Phase::open) return;
  if (speech == Speech::http) {
    send(format_response(refusal_response(refusal_status_, refusal_), {.close = true},
                         door_.loop.now().wall));
  } else {
    send(refusal_line(refusal_));
  }
  close();
}

void InboundConnection::on_end() {
  at_end_ = true;
  reading_ = false;
  if (phase_ == Phase::open && !session_) sniff_more({});
  if (phase_ == Phase::open && session_) session_->finish();
  update();
}

void InboundConnection::on_failure(const std::string& what) {
  if (log_enabled(Level::debug))
    log(Level::debug, "connection lost",
        {{"intake", door_.kind}, {"peer", peer_.where}, {"error", what}});
  die();
}

void InboundConnection::on_garbled(const std::string& what) {
  log_turned_away(door_, peer_, what);
  close();
  update();
}

void InboundConnection::on_progress() {
  active_ = door_.loop.now().steady;
  if (phase_ == Phase::open && reading_) return;  // nothing waited for it
  if (phase_ == Phase::ending) linger_until_ = active_ + kLinger;
  update();
}

void InboundConnection::close() {
  if (phase_ != Phase::open) return;
  phase_ = Phase::ending;
  linger_until_ = door_.loop.now().steady + kLinger;
  stream_->end();
}

void InboundConnection::update() {
  if (phase_ == Phase::open && session_ && may_go_on()) session_->resume();
  if (phase_ == Phase::open && session_ &&
      (session_->finished() || (door_.stopping && !session_->owes() && !awaits_rest())))
    close();
  if (phase_ == Phase::open && !session_ && door_.stopping) close();
  if (phase_ == Phase::ending) return update_ending();
  if (phase_ == Phase::gone) return;
  read(may_read());
  arm();
}

// The peer gets its answer before the connection goes: what it still sends is read and dropped,
// within bounds, since closing on unread bytes would reset the connection under the answer.
void InboundConnection::update_ending() {
  const bool sent = stream_->unwritten() == 0;
  if (discarded_ > kMaxDiscarded || (sent && (at_end_ || door_.stopping))) return die();
  read(true);
  arm();
}

Steady InboundConnection::grace_ends() const {
  return door_.stopped + std::min(kGrace, door_.idle);
}

bool InboundConnection::awaits_rest() const {
  return door_.stopping && session_ && session_->midway() && !at_end_ &&
         door_.loop.now().steady < grace_ends();
}

bool InboundConnection::may_go_on() const {
  return (!door_.stopping || awaits_rest()) && stream_->unwritten() < kMaxUnwritten &&
         !door_.receiver.congested();
}

bool InboundConnection::may_read() const {
  return may_go_on() && !at_end_ && (!session_ || session_->ready());
}

void InboundConnection::read(bool wanted) {
  if (wanted && !reading_ && phase_ == Phase::open) {
    active_ = door_.loop.now().steady;  // the silence was ours
    if (session_) session_->rearm();
  }
  reading_ = wanted && !at_end_;
  stream_->read(reading_);
}

std::optional<Steady> InboundConnection::deadline() const {
  std::optional<Steady> due;
  const auto sooner = [&due](std::optional<Steady> other) {
    if (other && (!due || *other < *due)) due = other;
  };
  if (stream_->unwritten() > 0) sooner(active_ + door_.idle);
  if (phase_ == Phase::open && awaits_rest()) sooner(grace_ends());
  if (phase_ == Phase::ending) {
    sooner(stream_->unwritten() > 0 ? active_ + door_.idle : linger_until_);
  } else if (session_) {
    if (reading_ || session_->owes()) sooner(session_->deadline());
  } else if (!refusal_.empty()) {
    sooner(active_ + std::min(kSilentRefusal, door_.idle));
  } else if (reading_) {
    sooner(active_ + door_.idle);
  }
  return due;
}

// Deadlines mostly move away, so the timer is only moved when one comes nearer, and looks again
// when it fires.
void InboundConnection::arm() {
  const auto due = deadline();
  if (!due || (armed_ && *armed_ <= *due)) return;
  armed_ = due;
  timer_.at(*due);
}

void InboundConnection::on_deadline() {
  armed_.reset();
  const Steady now = door_.loop.now().steady;
  const auto due = deadline();
  if (!due || now < *due) return door_.stopping ? update() : arm();
  if (phase_ == Phase::ending || (stream_->unwritten() > 0 && now >= active_ + door_.idle))
    return die();
  if (session_) {
    session_->expire();
  } else if (!refusal_.empty()) {
    say_no(Speech::stream);
  } else {
    close();
  }
  update();
}

void InboundConnection::die() {
  if (phase_ == Phase::gone) return;
  phase_ = Phase::gone;
  timer_.clear();
  reading_ = false;
  stream_->read(false);
  if (gone_) gone_();
}

}  // namespace checkrelay
