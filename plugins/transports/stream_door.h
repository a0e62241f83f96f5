// A listening socket and the connections that came by it: unix, tcp, http.
#pragma once

#include <uv.h>

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "agent/port/transport.h"
#include "agent/runtime/loop.h"
#include "plugins/transports/inbound_connection.h"
#include "plugins/transports/peer_filter.h"
#include "plugins/transports/socket_files.h"
#include "plugins/transports/tls_stream.h"
#include "plugins/transports/uv_stream.h"

namespace checkrelay {

struct StreamDoorSetup {
  InboundConnection::Speech speech = InboundConnection::Speech::stream;
  bool tcp = false;
  PeerFilter filter{};                      // unix
  std::shared_ptr<const TlsContext> tls{};  // none: plain
};

class StreamDoor final : public Listener {
 public:
  // `state` names receiver, loop and limits.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(DoorState state,
                                                              StreamDoorSetup setup,
                                                              OpenedSocket socket);
  ~StreamDoor() override;

  [[nodiscard]] std::string where() const override { return state_.where; }
  void drained() override;
  void stop() override;
  [[nodiscard]] bool idle() const override { return connections_.empty(); }

 private:
  struct Server;
  // Beyond max_connections a few more are let in to be told so; beyond these they are closed
  // without a word.
  static constexpr std::size_t kTurnedAway = 64;

  StreamDoor(DoorState state, StreamDoorSetup setup, OwnedPath path);
  Result<void> listen(OwnedFd fd);
  void on_connection(int status);
  void admit(std::unique_ptr<UvStream> stream);
  void forget(InboundConnection* connection);
  [[nodiscard]] bool filter_admits(int fd, const Peer& peer);
  void log_trouble(std::string_view what);

  DoorState state_;
  StreamDoorSetup setup_;
  OwnedPath path_;
  Server* server_ = nullptr;  // owned by the uv loop after close
  std::unordered_map<InboundConnection*, std::unique_ptr<InboundConnection>> connections_;
  std::vector<std::unique_ptr<InboundConnection>> ended_;  // destroyed at the end of the turn
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace checkrelay
