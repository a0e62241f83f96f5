// What servers say to requests that they take, whole.
#include <fmt/format.h>

#include "tests/bench/sink.h"

namespace checkrelay::bench {
namespace {

void append_response(std::string& out, std::string_view type, std::string_view body) {
  out += fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n", type,
                     body.size());
  out += body;
}

// The text behind the next `key`, from `at` on, which moves past it; the names of this benchmark
// need no escapes.
std::string_view text_behind(std::string_view body, std::string_view key, std::size_t& at) {
  const std::size_t found = body.find(key, at);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + key.size();
  at = body.find('"', begin);
  return body.substr(begin, at - begin);
}

std::uint64_t append_rows(std::string& rows, std::string_view body) {
  std::uint64_t count = 0;
  std::size_t at = 0;
  for (std::string_view host; !(host = text_behind(body, "\"hostName\":\"", at)).empty(); ++count) {
    const std::string_view service = text_behind(body, "\"description\":\"", at);
    if (count > 0) rows += ',';
    rows.append("{\"entity\":\"").append(host).append(":").append(service);
    rows.append("\",\"status\":\"success\",\"location\":\"http://localhost/api/services/");
    rows.append(service).append("?hostName=").append(host).append("\"}");
  }
  return count;
}

// Of a URL whose values need no escapes.
std::string_view parameter(std::string_view request, std::string_view name) {
  const std::size_t at = request.find(name);
  if (at == std::string_view::npos) return {};
  request.remove_prefix(at + name.size());
  return request.substr(0, request.find_first_of("& "));
}

}  // namespace

std::uint64_t answer_op5(std::string_view, std::string& out) {
  append_response(out, "application/json",
                  "{\"result\":\"Successfully submitted PROCESS_SERVICE_CHECK_RESULT\"}");
  return 1;
}

std::uint64_t answer_groundwork(std::string_view request, std::string& out) {
  if (!request.starts_with("POST /api/services")) {
    append_response(out, "text/plain", "3f0c1a52-4f2e-4d50-9d5b-6c0f9a7e2b11");
    return 0;
  }
  std::string rows;
  const std::uint64_t count = append_rows(rows, request.substr(request.find("\r\n\r\n")));
  append_response(out, "application/json",
                  fmt::format("{{\"successful\":{0},\"failed\":0,\"warning\":0,\"count\":{0},"
                              "\"entityType\":\"ServiceStatus\",\"operation\":\"Update\","
                              "\"results\":[{1}]}}",
                              count, rows));
  return count;
}

std::uint64_t answer_opsview(std::string_view request, std::string& out) {
  constexpr std::string_view kJson = "application/json";
  auto asks = [&](std::string_view line) { return request.starts_with(line); };
  if (asks("POST /rest/detail?")) {
    append_response(out, kJson, R"({"success":"1"})");
    return 1;
  }
  if (asks("GET /rest/detail?")) {
    append_response(
        out, kJson,
        fmt::format(R"({{"object":{{"hostname":"{}","servicename":"{}"}}}})",
                    parameter(request, "hostname="), parameter(request, "servicename=")));
  } else if (asks("GET /rest/reload")) {
    append_response(out, kJson,
                    R"({"server_status":"0","configuration_status":"uptodate",)"
                    R"("average_duration":"30","lastupdated":"1","messages":[]})");
  } else if (asks("POST /rest/login")) {
    append_response(out, kJson, R"({"token":"0123456789abcdef0123456789abcdef01234567"})");
  } else {
    append_response(out, kJson, R"({"api_version":"6.012","api_min_version":"2.000"})");
  }
  return 0;
}

}  // namespace checkrelay::bench
