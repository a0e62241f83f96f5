// How bytes and HTTP messages move. A transport knows no monitoring: it opens doors for an intake
// (Receiver is what it hands upward to) and carries outbound conversations. Loop thread only.
// Callbacks given to a Receiver may be called at any later turn, also after the connection has
// gone: transports hold their connections weakly in them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/port/conversation.h"
#include "agent/port/dialect.h"
#include "agent/port/option.h"

namespace checkrelay {

// Who is at the other end.
struct Peer {
  std::string where{};                 // for logs: "127.0.0.1:4711", "uid=1000 pid=77", a file name
  std::optional<std::uint32_t> uid{};  // unix sockets (SO_PEERCRED) and spool files (owner)
  std::optional<std::uint32_t> gid{};
  bool http = false;   // speaks HTTP on this pipe
  bool local = false;  // unix socket, file, or loopback address
};

// An intake, seen from the transport that opened its door. Must outlive the Listener.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // A peer has come. nullptr = not admitted; `why` then says so (written as a line where the pipe
  // allows, and logged).
  [[nodiscard]] virtual std::unique_ptr<Conversation> accept(const Peer& peer,
                                                             const InboundContext& context,
                                                             std::string& why) = 0;
  // Journals the results. `done` is called once, on the loop thread, never from within submit().
  virtual void submit(const Peer& peer, Submission submission,
                      std::function<void(std::vector<Outcome>)> done) = 0;
  // Answers a request that is the operator's (Actions::inquire). As submit().
  virtual void inquire(const Peer& peer, Message request, std::function<void(Message)> done) = 0;
  virtual void refused(const Peer& peer, std::span<const Refusal> refusals) = 0;  // counts and logs
  // True while the journal is behind: read nothing more for now. drained() of the listener follows.
  [[nodiscard]] virtual bool congested() const = 0;
};

// An open door. Destroying it closes the door and every connection at once.
class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual std::string where()
      const = 0;               // as in the configuration: a path or address:port (the bound one)
  virtual void drained() = 0;  // the receiver is no longer congested
  // No new peers, and no more reading but for the rest of what has come in part, for a moment; open
  // connections still get the replies they are owed, then close.
  virtual void stop() = 0;
  // Nothing is owed to anybody. Of doors with connections: none is open, so that it means something
  // after stop() alone.
  [[nodiscard]] virtual bool idle() const = 0;
};

// Carries outbound conversations, for one destination.
class Carrier {
 public:
  virtual ~Carrier() = default;
  // Performs the conversation to its close. `done` is called once, never from within carry(), with
  // every verdict.
  virtual void carry(std::unique_ptr<Conversation> conversation,
                     std::function<void(std::vector<Verdict>)> done) = 0;
  // Ends every conversation with Trouble::cancelled; their `done` are called before this returns.
  virtual void cancel() = 0;
};

}  // namespace checkrelay
