// The client's end of the agent's unix socket: blocking, with a deadline on everything, bounded.
// One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

// A point on the clients' own clock; the loop's clock is the agent's.
[[nodiscard]] Steady deadline_in(Duration wait);
[[nodiscard]] Wall wall_now();

class AgentSocket {
 public:
  AgentSocket() = default;
  ~AgentSocket();
  AgentSocket(AgentSocket&& other) noexcept;
  AgentSocket& operator=(AgentSocket&& other) noexcept;

  // Errc::unavailable and the reason where nobody answers in time.
  [[nodiscard]] static Result<AgentSocket> connect(const std::string& path, Steady deadline);
  // All of `bytes`, or an error.
  [[nodiscard]] Result<void> write(std::string_view bytes, Steady deadline);
  void finish_writing();
  // The next line without its end. At most 1 MiB.
  [[nodiscard]] Result<std::string> read_line(Steady deadline);
  // Everything until the peer closes, at most `limit` bytes.
  [[nodiscard]] Result<std::string> read_all(Steady deadline, std::size_t limit);

 private:
  explicit AgentSocket(int fd) : fd_(fd) {}
  // Appends to buffer_; false at the end of the stream.
  [[nodiscard]] Result<bool> read_some(Steady deadline);

  int fd_ = -1;
  std::string buffer_;
};

struct HttpAnswer {
  int status = 0;
  std::string body{};
};
// One request on a connection of its own (RFC 9112). Errc::unavailable where the agent does not
// answer.
[[nodiscard]] Result<HttpAnswer> ask_agent(const std::string& socket, std::string_view method,
                                           std::string_view target, std::string_view body,
                                           Duration wait = std::chrono::seconds(10));
[[nodiscard]] Result<HttpAnswer> parse_http_answer(std::string_view bytes);

}  // namespace checkrelay
