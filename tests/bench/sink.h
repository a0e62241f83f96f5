// A server that answers every request with success, as fast as one thread can: HTTP/1.1 keep-alive
// on loopback.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace checkrelay::bench {

// Appends the answer to a whole request to `out`; returns how many results the request brought.
using Responder = std::function<std::uint64_t(std::string_view request, std::string& out)>;

std::uint64_t answer_op5(std::string_view request, std::string& out);
// GroundWork's logins, and its results documents for batches in JSON.
std::uint64_t answer_groundwork(std::string_view request, std::string& out);

// Opsview's login, its reload, the objects that are looked up, and results as /rest/detail takes
// them; only these count.
std::uint64_t answer_opsview(std::string_view request, std::string& out);

class Sink {
 public:
  explicit Sink(Responder respond = answer_op5);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] std::string url() const;  // the server's root
  // Between hold() and release() requests wait for their answer, so that a client's backlog can be
  // filled.
  void hold() { held_ = true; }
  void release();
  // Counts answered results anew. wait() returns how many there were once that is `count`, or the
  // time is up.
  void expect(std::uint64_t count);
  [[nodiscard]] std::uint64_t wait(double seconds) const;

 private:
  struct Connection {
    std::string in{}, out{};
  };
  void serve();
  void accept_one();
  void receive(int fd, Connection& connection);
  void answer(int fd, Connection& connection);
  void hang_up(int fd);

  Responder respond_;
  int port_ = 0;  // set by what makes the listener
  int listener_, epoll_, wake_, reached_;
  std::atomic<bool> held_{false}, stopping_{false};
  std::atomic<std::uint64_t> answered_{0}, expected_{0};
  std::map<int, Connection> connections_;  // the thread's own
  std::thread thread_;
};

}  // namespace checkrelay::bench
