// One accepted connection: decides what it speaks, feeds its session, reads no more than it can
// keep, and ends within bounded time whatever the peer does.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/log.h"
#include "agent/port/transport.h"
#include "agent/runtime/loop.h"
#include "plugins/transports/byte_stream.h"

namespace checkrelay {

// What the connections of one door share.
struct DoorState {
  Loop& loop;
  Receiver& receiver;
  std::string kind{};  // "unix", "tcp", …
  std::string where{};
  std::size_t max_result = 64 * 1024;
  std::size_t max_connections = 1024;
  std::size_t max_body = 16 * 1024 * 1024;
  Duration idle = std::chrono::seconds(60);  // silence while nothing is owed
  Duration header =
      std::chrono::seconds(10);  // from the first byte of a request to the end of its head
  Duration body =
      std::chrono::seconds(30);  // for the body, and a second more for each 16 KiB received
  bool stopping = false;
  Steady stopped{};
  std::size_t held_bodies = 0;  // bytes of HTTP requests in memory, all connections together
  LogGate gate{};
};
void log_turned_away(DoorState& door, const Peer& peer, std::string_view why);

class InboundConnection;

// What a connection speaks, once that is known.
class Session {
 public:
  virtual ~Session() = default;
  virtual void start() = 0;
  virtual void receive(std::string_view bytes) = 0;
  virtual void finish() = 0;                        // the peer sends no more
  [[nodiscard]] virtual bool ready() const = 0;     // for more bytes
  virtual void resume() {}                          // what was held back may go on
  [[nodiscard]] virtual bool owes() const = 0;      // the peer waits for us
  [[nodiscard]] virtual bool finished() const = 0;  // finish() was called and all is answered
  [[nodiscard]] virtual std::optional<Steady> deadline() const = 0;
  virtual void expire() = 0;                      // may come early: then a no-op
  [[nodiscard]] virtual bool midway() const = 0;  // a message has come in part
  virtual void rearm() {}                         // we had stopped reading: its clocks begin anew
};

// `door` must outlive it.
class InboundConnection final : public ByteStream::Owner {
 public:
  enum class Speech { stream, http, sniffed };

  InboundConnection(DoorState& door, std::unique_ptr<ByteStream> stream, Peer peer, Speech speech);
  ~InboundConnection() override;

  // `gone` is called once, when the connection has ended; it is then to be destroyed, but not from
  // within the call.
  void on_gone(std::function<void()> gone) { gone_ = std::move(gone); }
  void start();
  // Instead of start(): the peer is told why, in the words of what it speaks, and the connection
  // ends.
  void turn_away(int status, std::string why);
  // Reads no more, but for the rest of what has come in part, for a moment; ends when nothing is
  // owed.
  void stop();
  void update();  // after anything that may let it read on

  // For its session.
  void send(std::string_view bytes) { stream_->write(bytes); }
  void
  close();  // after what was sent; goes on reading a little so that the peer can read the answer
  [[nodiscard]] bool ending() const { return phase_ != Phase::open; }
  [[nodiscard]] Steady active() const { return active_; }  // when something last came or went
  [[nodiscard]] const Peer& peer() const { return peer_; }
  [[nodiscard]] DoorState& door() { return door_; }

 private:
  enum class Phase { open, ending, gone };

  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_failure(const std::string& what) override;
  void on_garbled(const std::string& what) override;
  void on_progress() override;

  void sniff_more(std::string_view bytes);
  void open_session(Speech speech);
  void say_no(Speech speech);
  void update_ending();
  void read(bool wanted);
  [[nodiscard]] Steady grace_ends() const;  // after a stop
  [[nodiscard]] bool awaits_rest() const;   // after a stop
  [[nodiscard]] bool may_go_on() const;     // with what was read
  [[nodiscard]] bool may_read() const;
  [[nodiscard]] std::optional<Steady> deadline() const;
  void arm();
  void on_deadline();
  void die();

  DoorState& door_;
  std::unique_ptr<ByteStream> stream_;
  Peer peer_;
  Speech speech_;
  std::function<void()> gone_;
  std::unique_ptr<Session> session_;
  std::string sniffed_;
  std::string refusal_;  // why the peer was turned away
  int refusal_status_ = 403;
  Phase phase_ = Phase::open;
  bool reading_ = false;
  bool at_end_ = false;
  Steady active_{};
  Steady linger_until_{};
  std::size_t discarded_ = 0;
  std::optional<Steady> armed_;
  Timer timer_;
};

}  // namespace checkrelay
