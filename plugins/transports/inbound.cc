#include "plugins/transports/inbound.h"

#include <array>
#include <utility>

#include "plugins/transports/datagram_door.h"
#include "plugins/transports/fifo_door.h"
#include "plugins/transports/peer_filter.h"
#include "plugins/transports/socket_files.h"
#include "plugins/transports/stream_door.h"
#include "plugins/transports/tls_stream.h"

namespace checkrelay {
namespace {

using Opened = Result<std::unique_ptr<Listener>>;
using Speech = InboundConnection::Speech;

constexpr OptionRow kPath{.name = "path",
                          .kind = OptionKind::path,
                          .doc = "where it lies; made where missing",
                          .required = true};
constexpr OptionRow kMode{
    .name = "mode", .kind = OptionKind::mode, .fallback = "0660", .doc = "permissions of the file"};
constexpr OptionRow kGroup{.name = "group", .doc = "group of the file, a name or a number"};
constexpr OptionRow kListen{
    .name = "listen", .doc = "address:port; without an address, every one", .required = true};
constexpr OptionRow kIdle{
    .name = "idle_timeout",
    .kind = OptionKind::duration,
    .doc = "silence after which a connection ends; default limits.idle_timeout"};
constexpr OptionRow kCert{
    .name = "tls_cert", .kind = OptionKind::path, .doc = "certificate with its chain, PEM: TLS"};
constexpr OptionRow kKey{.name = "tls_key", .kind = OptionKind::path, .doc = "its key, PEM"};
constexpr OptionRow kClientCa{.name = "tls_client_ca",
                              .kind = OptionKind::path,
                              .doc = "only clients with a certificate of this CA, PEM"};

constexpr std::array kUnixRows{
    kPath,
    kMode,
    kGroup,
    OptionRow{.name = "allow_users",
              .kind = OptionKind::list,
              .doc = "who may come in, names or numbers; with allow_groups empty too: everybody"},
    OptionRow{.name = "allow_groups",
              .kind = OptionKind::list,
              .doc = "members of these may come in, names or numbers"},
    kIdle};
constexpr std::array kFileRows{kPath, kMode, kGroup};
constexpr std::array kTcpRows{kListen, kCert, kKey, kClientCa, kIdle};
constexpr std::array kHttpRows{
    kListen,
    kCert,
    kKey,
    kClientCa,
    kIdle,
    OptionRow{.name = "header_timeout",
              .kind = OptionKind::duration,
              .fallback = "10s",
              .doc = "how long a request's headers may take"},
    OptionRow{.name = "body_timeout",
              .kind = OptionKind::duration,
              .fallback = "30s",
              .doc = "how long a request's body may take, and a second more for each 16 KiB"}};

std::size_t size_or(const Options& limits, std::string_view name, std::size_t fallback) {
  const long long value = limits.integer(name);
  return value > 0 ? static_cast<std::size_t>(value) : fallback;
}

Duration duration_or(const Options& options, std::string_view name, Duration fallback) {
  const Duration value = options.duration(name);
  return value > Duration::zero() ? value : fallback;
}

DoorState door_state(std::string kind, const Options& options, const Options& limits, Loop& loop,
                     Receiver& receiver) {
  DoorState state{.loop = loop, .receiver = receiver, .kind = std::move(kind)};
  state.where = options.has("path") ? options.text("path") : options.text("listen");
  state.max_result = size_or(limits, "max_result", state.max_result);
  state.max_connections = size_or(limits, "max_connections", state.max_connections);
  state.max_body = size_or(limits, "max_body", state.max_body);
  state.idle = duration_or(limits, "idle_timeout", state.idle);
  state.idle = duration_or(options, "idle_timeout", state.idle);
  state.header = duration_or(options, "header_timeout", state.header);
  state.body = duration_or(options, "body_timeout", state.body);
  return state;
}

FilePlace place_of(const Options& options) {
  FilePlace place{.path = options.text("path"), .group = options.text("group")};
  if (options.has("mode")) place.mode = static_cast<mode_t>(options.integer("mode"));
  return place;
}

Opened open_unix(const Options& options, const Options& limits, Loop& loop, Receiver& receiver) {
  StreamDoorSetup setup{.speech = Speech::sniffed};
  auto filter = PeerFilter::make(options.list("allow_users"), options.list("allow_groups"));
  if (!filter) return tl::unexpected(filter.error());
  setup.filter = std::move(*filter);
  auto socket = open_unix_socket(SOCK_STREAM, place_of(options));
  if (!socket) return tl::unexpected(socket.error());
  return StreamDoor::open(door_state("unix", options, limits, loop, receiver), std::move(setup),
                          std::move(*socket));
}

Opened open_unixgram(const Options& options, const Options& limits, Loop& loop,
                     Receiver& receiver) {
  auto socket = open_unix_socket(SOCK_DGRAM, place_of(options));
  if (!socket) return tl::unexpected(socket.error());
  return open_datagram_door(door_state("unixgram", options, limits, loop, receiver),
                            std::move(*socket));
}

Opened open_fifo_intake(const Options& options, const Options& limits, Loop& loop,
                        Receiver& receiver) {
  auto fd = open_fifo(place_of(options));
  if (!fd) return tl::unexpected(fd.error());
  return open_fifo_door(door_state("fifo", options, limits, loop, receiver), std::move(*fd));
}

Result<std::shared_ptr<const TlsContext>> tls_of(const Options& options) {
  const TlsContext::Files files{options.text("tls_cert"), options.text("tls_key"),
                                options.text("tls_client_ca")};
  if (files.certificate.empty() != files.key.empty())
    return fail(Errc::invalid, "tls_cert and tls_key belong together");
  if (!files.certificate.empty()) return TlsContext::load(files);
  if (!files.client_ca.empty())
    return fail(Errc::invalid, "tls_client_ca needs tls_cert and tls_key");
  return nullptr;
}

Opened open_tcp(const char* kind, Speech speech, const Options& options, const Options& limits,
                Loop& loop, Receiver& receiver) {
  auto tls = tls_of(options);
  if (!tls) return tl::unexpected(tls.error());
  StreamDoorSetup setup{.speech = speech, .tcp = true, .tls = std::move(*tls)};
  auto socket = open_tcp_socket(options.text("listen"));
  if (!socket) return tl::unexpected(socket.error());
  return StreamDoor::open(door_state(kind, options, limits, loop, receiver), std::move(setup),
                          std::move(*socket));
}

}  // namespace

std::vector<IntakeKind> socket_intakes() {
  const auto tcp = [](const char* kind, Speech speech) {
    return [=](const Options& options, const Options& limits, Loop& loop, Receiver& receiver) {
      return open_tcp(kind, speech, options, limits, loop, receiver);
    };
  };
  return {
      {"unix", "a socket in the file system; streams and HTTP", kUnixRows, &open_unix},
      {"unixgram", "a datagram socket in the file system; no replies", kFileRows, &open_unixgram},
      {"tcp", "a network socket", kTcpRows, tcp("tcp", Speech::stream)},
      {"fifo", "a named pipe; no replies", kFileRows, &open_fifo_intake},
      {"http", "the HTTP interface", kHttpRows, tcp("http", Speech::http)},
  };
}

}  // namespace checkrelay
