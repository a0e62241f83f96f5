#include "tests/plugins/transports/outbound/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

namespace checkrelay::testing_peer {
namespace {

int bound_socket(int& port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, length) != 0 || ::getsockname(fd, generic, &length) != 0) std::abort();
  port = ntohs(address.sin_port);
  return fd;
}

SSL_CTX* make_context(const TlsFiles& files) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    std::abort();
  }
  if (!files.client_ca.empty()) {
    SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

std::size_t content_length(const std::string& head) {
  std::size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

int unused_port() {
  int port = 0;
  ::close(bound_socket(port));
  return port;
}

bool Link::read_more() {
  std::array<char, 65536> block{};
  auto n = ssl_ ? SSL_read(ssl_, block.data(), block.size())
                : static_cast<int>(::recv(fd_, block.data(), block.size(), 0));
  if (n <= 0) return false;
  buffer_.append(block.data(), static_cast<std::size_t>(n));
  return true;
}

std::optional<std::string> Link::request() {
  std::size_t head = 0;
  while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  std::size_t length = head + 4 + content_length(buffer_.substr(0, head + 2));
  while (buffer_.size() < length) {
    if (!read_more()) return std::nullopt;
  }
  std::string request = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return request;
}

void Link::write(const std::string& bytes) {
  if (ssl_) {
    SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    return;
  }
  for (std::size_t sent = 0; sent < bytes.size();) {
    ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

void Link::answer(const std::string& body, int status) {
  write("HTTP/1.1 " + std::to_string(status) +
        " Reason\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

void Link::wait_for_client_to_leave() {
  while (read_more()) {
  }
}

Server::Server(Script script, std::optional<TlsFiles> tls) : script_(std::move(script)) {
  std::signal(SIGPIPE, SIG_IGN);
  if (tls) tls_ = make_context(*tls);
  listener_ = bound_socket(port_);
  ::listen(listener_, 16);
  acceptor_ = std::thread([this] { accept_all(); });
}

Server::~Server() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  acceptor_.join();
  for (std::thread& t : threads_) t.join();
  ::close(listener_);
  SSL_CTX_free(tls_);
}

void Server::accept_all() {
  for (int number = 0;; ++number) {
    int fd = ::accept(listener_, nullptr, nullptr);
    std::lock_guard lock(mutex_);
    if (stopping_ || fd < 0) {
      if (fd >= 0) ::close(fd);
      return;
    }
    open_.push_back(fd);
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void Server::serve(int fd, int number) {
  SSL* ssl = tls_ ? SSL_new(tls_) : nullptr;
  if (ssl) SSL_set_fd(ssl, fd);
  if (!ssl || SSL_accept(ssl) == 1) {
    Link link(fd, ssl);
    script_(link, number);
  } else {
    Link(fd, nullptr).wait_for_client_to_leave();  // or a reset would overtake the alert
  }
  if (ssl) SSL_shutdown(ssl);
  SSL_free(ssl);
  std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  ::close(fd);
}

std::string Server::url(const std::string& path) const {
  return (tls_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_) + path;
}

int Server::connections() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(threads_.size());
}

}  // namespace checkrelay::testing_peer
