#include "tests/bench/status.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tests/bench/give_up.h"
#include "tests/bench/sockets.h"

namespace checkrelay::bench {
namespace {

std::string ask(const std::string& socket, std::string_view request) {
  int fd = connect_unix(socket);
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    give_up("{}: the request could not be sent", socket);
  std::string answer;
  char buffer[16384];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return answer;
}

std::uint64_t sum(const nlohmann::json& list, const char* key) {
  std::uint64_t total = 0;
  for (const nlohmann::json& item : list) total += item.value(key, std::uint64_t{0});
  return total;
}

}  // namespace

AgentStatus ask_status(const std::string& socket) {
  std::string answer =
      ask(socket, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::size_t body = answer.find("\r\n\r\n");
  auto json = nlohmann::json::parse(body == std::string::npos ? answer : answer.substr(body),
                                    nullptr, false);
  if (!answer.starts_with("HTTP/1.1 200") || !json.is_object() || !json.contains("destinations"))
    give_up("/v1/status answered: {}", answer.substr(0, 300));
  const nlohmann::json& destinations = json["destinations"];
  return {sum(json["intakes"], "accepted"),
          sum(destinations, "delivered"),
          sum(destinations, "dead"),
          sum(destinations, "pending"),
          json["journal"].value("bytes", std::uint64_t{0}),
          json.dump()};
}

double ask_metric(const std::string& socket, const std::string& name) {
  std::string answer =
      ask(socket, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::size_t at = answer.find("\n" + name + " ");
  if (at == std::string::npos) give_up("/metrics has no {}", name);
  return std::strtod(answer.c_str() + at + name.size() + 2, nullptr);
}

}  // namespace checkrelay::bench
