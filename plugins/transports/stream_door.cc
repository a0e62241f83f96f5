#include "plugins/transports/stream_door.h"

#include <sys/socket.h>

#include <string>
#include <utility>

namespace checkrelay {
namespace {

constexpr int kBacklog = 511;  // the system's own limit may be lower

Peer unix_peer(int fd) {
  Peer peer;
  peer.local = true;
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    peer.where = "unix";
    return peer;
  }
  peer.uid = who.uid;
  peer.gid = who.gid;
  peer.where = "uid=" + std::to_string(who.uid) + " pid=" + std::to_string(who.pid);
  return peer;
}

Peer tcp_peer(int fd) {
  Peer peer;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return peer;
  peer.where = format_address(raw);
  peer.local = is_loopback(raw);
  return peer;
}

// The groups that the peer's process had when it connected, its primary one first.
std::vector<gid_t> groups_of(int fd, const Peer& peer) {
  socklen_t size = 0;
  std::vector<gid_t> groups;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) != 0 && size > 0) {
    groups.resize(size / sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) groups.clear();
  }
  if (peer.gid) groups.insert(groups.begin(), *peer.gid);
  return groups;
}

}  // namespace

struct StreamDoor::Server {
  union {
    uv_handle_t base;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
  } uv{};
  StreamDoor* door = nullptr;

  static void on_connection(uv_stream_t* s, int status) {
    if (StreamDoor* door = static_cast<Server*>(s->data)->door) door->on_connection(status);
  }
  void close() {
    door = nullptr;
    uv_close(&uv.base, [](uv_handle_t* h) { delete static_cast<Server*>(h->data); });
  }
};

Result<std::unique_ptr<Listener>> StreamDoor::open(DoorState state, StreamDoorSetup setup,
                                                   OpenedSocket socket) {
  state.where = socket.where;
  std::unique_ptr<StreamDoor> door(
      new StreamDoor(std::move(state), std::move(setup), std::move(socket.path)));
  if (auto listening = door->listen(std::move(socket.fd)); !listening)
    return tl::unexpected(listening.error());
  return door;
}

StreamDoor::StreamDoor(DoorState state, StreamDoorSetup setup, OwnedPath path)
    : state_(std::move(state)), setup_(std::move(setup)), path_(std::move(path)) {}

StreamDoor::~StreamDoor() {
  if (server_) server_->close();
  connections_.clear();
  ended_.clear();
}

Result<void> StreamDoor::listen(OwnedFd fd) {
  server_ = new Server;
  server_->uv.base.data = server_;
  int error = 0;
  if (setup_.tcp) {
    uv_tcp_init(state_.loop.uv(), &server_->uv.tcp);
    error = uv_tcp_open(&server_->uv.tcp, fd.get());
  } else {
    uv_pipe_init(state_.loop.uv(), &server_->uv.pipe, 0);
    error = uv_pipe_open(&server_->uv.pipe, fd.get());
  }
  server_->uv.base.data = server_;
  server_->door = this;
  if (error == 0) {
    fd.release();
    error = uv_listen(&server_->uv.stream, kBacklog, &Server::on_connection);
  }
  if (error == 0) return {};
  return fail(Errc::unavailable, state_.where + ": listen: " + uv_strerror(error));
}

void StreamDoor::on_connection(int status) {
  if (status < 0) return log_trouble(uv_strerror(status));
  auto stream = UvStream::accept(state_.loop, &server_->uv.stream);
  if (!stream) return log_trouble(stream.error().what);
  if (connections_.size() < state_.max_connections + kTurnedAway) return admit(std::move(*stream));
  log_trouble("too many connections");
}

void StreamDoor::admit(std::unique_ptr<UvStream> stream) {
  const int fd = stream->fd();
  Peer peer = setup_.tcp ? tcp_peer(fd) : unix_peer(fd);
  const bool room = connections_.size() < state_.max_connections;
  const bool welcome = setup_.tcp || filter_admits(fd, peer);
  std::unique_ptr<ByteStream> pipe = std::move(stream);
  if (setup_.tls) pipe = std::make_unique<TlsStream>(state_.loop, std::move(pipe), setup_.tls);
  auto made =
      std::make_unique<InboundConnection>(state_, std::move(pipe), std::move(peer), setup_.speech);
  InboundConnection& connection = *made;
  connections_.emplace(&connection, std::move(made));
  connection.on_gone([this, &connection] { forget(&connection); });
  if (!welcome) {
    connection.turn_away(
        403, "user " + std::to_string(connection.peer().uid.value_or(0)) + " is not admitted here");
  } else if (!room) {
    connection.turn_away(503, "too many connections (" + std::to_string(state_.max_connections) +
                                  "), try again later");
  } else {
    connection.start();
  }
}

bool StreamDoor::filter_admits(int fd, const Peer& peer) {
  const Steady now = state_.loop.now().steady;
  // A peer whose credentials the kernel does not tell is nobody that a list could name.
  return setup_.filter.admits(peer.uid.value_or(static_cast<uid_t>(-1)), groups_of(fd, peer), now);
}

// From within the connection's own call, so it dies at the end of the turn.
void StreamDoor::forget(InboundConnection* connection) {
  const auto it = connections_.find(connection);
  if (it == connections_.end()) return;
  if (ended_.empty()) {
    state_.loop.defer([this, alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) ended_.clear();
    });
  }
  ended_.push_back(std::move(it->second));
  connections_.erase(it);
}

void StreamDoor::drained() {
  std::vector<InboundConnection*> waiting;
  for (const auto& [connection, owned] : connections_) waiting.push_back(connection);
  for (InboundConnection* connection : waiting) connection->update();  // forgotten ones still live
}

void StreamDoor::stop() {
  if (server_) std::exchange(server_, nullptr)->close();
  path_ = OwnedPath();
  state_.stopping = true;
  state_.stopped = state_.loop.now().steady;
  drained();
}

void StreamDoor::log_trouble(std::string_view what) {
  std::uint64_t suppressed = 0;
  if (!state_.gate.open(state_.loop.now(), suppressed)) return;
  log(Level::warn, "connection not accepted",
      {{"intake", state_.kind},
       {"where", state_.where},
       {"error", what},
       {"not_logged", suppressed}});
}

}  // namespace checkrelay
