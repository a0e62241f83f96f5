#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/base/text.h"
#include "agent/runtime/systemd.h"
#include "plugins/transports/socket_files.h"

namespace checkrelay {
namespace {

TcpAddress ipv4(in_addr host, std::uint16_t port) {
  TcpAddress address;
  auto& in = reinterpret_cast<sockaddr_in&>(address.storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr = host;
  address.size = sizeof in;
  return address;
}

TcpAddress ipv6(const in6_addr& host, std::uint16_t port) {
  TcpAddress address;
  auto& in = reinterpret_cast<sockaddr_in6&>(address.storage);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  in.sin6_addr = host;
  address.size = sizeof in;
  return address;
}

Result<OwnedFd> bound_socket(const TcpAddress& address) {
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
  const int family = address.storage.ss_family;
  OwnedFd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  if (fd.get() >= 0) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  // Listening at once: with SO_REUSEADDR only that tells whether the address is taken.
  if (fd.get() < 0 || bind(fd.get(), raw, address.size) != 0 || listen(fd.get(), SOMAXCONN) != 0)
    return fail(Errc::unavailable, format_address(raw) + ": listen: " + std::strerror(errno));
  return fd;
}

}  // namespace

Result<TcpAddress> parse_listen(const std::string& listen) {
  const auto bad = [&] {
    return fail(Errc::invalid, "listen: " + quoted(listen) + " is no address:port");
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return bad();
  const auto port = parse_integer(std::string_view(listen).substr(colon + 1), 0, 65535);
  if (!port) return bad();
  const auto number = static_cast<std::uint16_t>(*port);
  std::string host = listen.substr(0, colon);
  if (host.empty() || host == "*") return ipv6(in6addr_any, number);
  if (host == "localhost") host = "127.0.0.1";
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ipv4(v4, number);
  in6_addr v6{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']' &&
      inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1)
    return ipv6(v6, number);
  return bad();
}

std::string format_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(in.sin_port));
  }
  if (address->sa_family != AF_INET6) return "?";
  sockaddr_in6 in{};
  std::memcpy(&in, address, sizeof in);
  inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + std::to_string(ntohs(in.sin6_port));
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return (ntohl(in.sin_addr.s_addr) >> 24U) == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  sockaddr_in6 in{};
  std::memcpy(&in, address, sizeof in);
  return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) ||
         (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && in.sin6_addr.s6_addr[12] == 127);
}

Result<OpenedSocket> open_tcp_socket(const std::string& listen) {
  auto address = parse_listen(listen);
  if (!address) return tl::unexpected(address.error());
  const auto* raw = reinterpret_cast<const sockaddr*>(&address->storage);
  OpenedSocket opened;
  if (const auto inherited = InheritedSockets::of_process().tcp_socket(raw, address->size)) {
    opened.fd = OwnedFd(*inherited);
  } else {
    auto fd = bound_socket(*address);
    const bool any = address->storage.ss_family == AF_INET6 && listen.front() != '[';
    if (!fd && any) {  // a host without IPv6
      in_addr all{};
      fd =
          bound_socket(ipv4(all, ntohs(reinterpret_cast<sockaddr_in&>(address->storage).sin_port)));
    }
    if (!fd) return tl::unexpected(fd.error());
    opened.fd = std::move(*fd);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  getsockname(opened.fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  opened.where = format_address(reinterpret_cast<const sockaddr*>(&bound));
  return opened;
}

}  // namespace checkrelay
