#include "agent/base/json.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

#include "agent/base/byte_run.h"

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

constexpr auto kPlain = [](unsigned char c) {
  return (c >= 0x20) & (c != '"') & (c != '\\') & (c != 0x7F);
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = end_of_run(text, at, kPlain);
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

JsonWriter& JsonWriter::plain_key(std::string_view name) {
  out_.append(comma_ ? ",\"" : "\"").append(name).append("\":");
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
