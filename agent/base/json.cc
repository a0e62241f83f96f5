#include "agent/base/json.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace checkrelay {
namespace {

// 0 = as it is, 'u' = \u00NN, else the letter behind the backslash (RFC 8259 section 7).
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table[0x7F] = 'u';
  return table;
}
constexpr std::array<char, 256> kEscapes = make_escapes();

constexpr std::uint64_t in_each_byte(unsigned char c) { return 0x0101010101010101U * c; }
// The top bit of the lowest such byte is set (of those above it, perhaps): "is there one?" is
// exact.
constexpr std::uint64_t below(std::uint64_t word, unsigned char c) {
  return (word - in_each_byte(c)) & ~word & in_each_byte(0x80);
}
constexpr std::uint64_t equal(std::uint64_t word, unsigned char c) {
  return below(word ^ in_each_byte(c), 1);
}

// The first place from `at` on that needs an escape, or the end.
std::size_t plain_until(std::string_view text, std::size_t at) {
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((below(word, 0x20) | equal(word, '"') | equal(word, '\\') | equal(word, 0x7F)) != 0) break;
  }
  while (at < text.size() && kEscapes[static_cast<unsigned char>(text[at])] == 0) ++at;
  return at;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = plain_until(text, at);
    out.append(text.substr(at, end - at));
    if (end == text.size()) break;
    at = end;
    const char escape = kEscapes[static_cast<unsigned char>(text[at])];
    out += '\\';
    out += escape;
    if (escape == 'u')
      fmt::format_to(std::back_inserter(out), "{:04x}", static_cast<unsigned char>(text[at]));
  }
  out += '"';
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_json_string(out_, value);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  fmt::format_int digits(value);
  return raw(std::string_view(digits.data(), digits.size()));
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  return raw(fmt::format("{}", value));
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::open(char c) {
  separate();
  out_ += c;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char c) {
  out_ += c;
  comma_ = true;
  return *this;
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
}

}  // namespace checkrelay
