#include "tests/bench/results.h"

#include <fmt/format.h>

#include <string_view>

namespace checkrelay::bench {
namespace {

constexpr std::size_t kHosts = 256, kServices = 64;
constexpr std::size_t kOutputBytes = 200;

struct Names {
  std::string host, service, output;
};

Names names(std::size_t i) {
  std::string output = fmt::format("OK: run {} took {} s, nothing to complain about ", i, i % 977);
  output.resize(kOutputBytes, '.');
  return {fmt::format("host-{:04}", i % kHosts), fmt::format("service-{:03}", i / kHosts), output};
}

void append_ndjson(std::string& out, const Names& n) {
  out += fmt::format("{{\"host\":\"{}\",\"service\":\"{}\",\"state\":0,\"output\":\"{}\"}}\n",
                     n.host, n.service, n.output);
}

void append_packed_text(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out += static_cast<char>(0xa0 | text.size());  // fixstr
  } else {
    out += static_cast<char>(0xd9);  // str 8
    out += static_cast<char>(text.size());
  }
  out += text;
}

void append_msgpack(std::string& out, const Names& n) {
  out += static_cast<char>(0x84);  // a map of four
  for (std::string_view text :
       {std::string_view("host"), std::string_view(n.host), std::string_view("service"),
        std::string_view(n.service), std::string_view("output"), std::string_view(n.output),
        std::string_view("state")})
    append_packed_text(out, text);
  out += '\0';  // the integer 0
}

}  // namespace

Block make_block(Format format) {
  Block block;
  for (std::size_t i = 0; i < kHosts * kServices; ++i) {
    block.starts.push_back(block.bytes.size());
    format == Format::ndjson ? append_ndjson(block.bytes, names(i))
                             : append_msgpack(block.bytes, names(i));
  }
  block.starts.push_back(block.bytes.size());
  return block;
}

Block make_subjects(std::size_t count) {
  Block block;
  for (std::size_t i = 0; i < count; ++i) {
    block.starts.push_back(block.bytes.size());
    append_ndjson(block.bytes, {fmt::format("host-{:05}", i % 20'000),
                                fmt::format("service-{:03}", i / 20'000), "OK: fine"});
  }
  block.starts.push_back(block.bytes.size());
  return block;
}

std::string op5_body() {
  Names n = names(1);
  return fmt::format(
      R"({{"host_name":"{}","service_description":"{}","status_code":"0","plugin_output":"{}"}})",
      n.host, n.service, n.output);
}

}  // namespace checkrelay::bench
