// An HTTP server that does what a test says, byte by byte: a thread a connection, blocking sockets.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace checkrelay::testing_peer {

class Link {
 public:
  Link(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}
  // A whole request, head and body; none when the client is gone.
  [[nodiscard]] std::optional<std::string> request();
  void write(const std::string& bytes);
  void answer(const std::string& body, int status = 200);  // with a Content-Length
  void wait_for_client_to_leave();

 private:
  [[nodiscard]] bool read_more();
  int fd_;
  SSL* ssl_;
  std::string buffer_;
};

struct TlsFiles {
  std::string cert{}, key{};
  std::string client_ca{};  // not empty: a client certificate is demanded
};

class Server {
 public:
  using Script = std::function<void(Link&, int connection)>;  // connection: 0, 1, …
  explicit Server(Script script, std::optional<TlsFiles> tls = std::nullopt);
  ~Server();  // hangs up and waits for every script
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] int connections() const;

 private:
  void accept_all();
  void serve(int fd, int number);
  Script script_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

[[nodiscard]] int unused_port();

}  // namespace checkrelay::testing_peer
