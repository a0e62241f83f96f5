// Names, texts, states and times as GroundWork has them.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"
#include "plugins/dialects/plugin_text.h"

namespace checkrelay::groundwork {
namespace {

std::size_t bytes_of_character(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

// UTF-16 units, which is what a Java server counts. REQUIRES: valid UTF-8
std::size_t length16(std::string_view text) {
  std::size_t units = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = bytes_of_character(static_cast<unsigned char>(text[i]));
    units += bytes == 4 ? 2 : 1;
    i += bytes;
  }
  return units;
}

std::string_view prefix16(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t units = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t bytes = bytes_of_character(static_cast<unsigned char>(text[i]));
    units += bytes == 4 ? 2 : 1;
    if (units > limit) break;
    i += bytes;
  }
  return text.substr(0, i);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < ' ' && c != '\t' && c != '\n') || byte == 0x7f;
}

constexpr std::uint64_t in_each_byte(unsigned char c) { return 0x0101010101010101U * c; }

// Printable ASCII alone, as nearly every name and output is: there is nothing to mend.
bool is_plain(std::string_view text) {
  std::uint64_t word = 0;
  std::uint64_t odd = 0;  // the top bit of a byte that is below ' ', or DEL, or above
  std::size_t at = 0;
  for (; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    odd |= word | (word + in_each_byte(1)) | (word - in_each_byte(' '));
  }
  if ((odd & in_each_byte(0x80)) != 0) return false;
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                     [](char c) { return c >= ' ' && c < 0x7f; });
}

std::string clean(std::string_view raw) {
  std::string text(raw);
  if (is_plain(text)) return text;
  make_valid_utf8(text);
  replace_all(text, "\r\n", "\n");
  std::replace(text.begin(), text.end(), '\r', '\n');
  std::replace_if(text.begin(), text.end(), is_control, ' ');
  // XML 1.0 section 2.2 has no U+FFFE and U+FFFF.
  replace_all(text, "\xef\xbf\xbe", "\xef\xbf\xbd");
  replace_all(text, "\xef\xbf\xbf", "\xef\xbf\xbd");
  return text;
}

std::optional<std::string> unaddressable_name(std::string_view field, std::string_view name) {
  auto reason = [&](const std::string& why) {
    return std::string(field) + ": " + quoted(name) + " cannot be addressed: " + why;
  };
  if (name.empty()) return reason("it is empty");
  if (name.size() <= kNameLimit && is_plain(name)) return std::nullopt;
  if (!is_valid_utf8(name)) return reason("it is not UTF-8");
  if (std::any_of(name.begin(), name.end(), is_control) ||
      name.find_first_of("\t\n") != std::string_view::npos)
    return reason("it holds a control character");
  if (length16(name) > kNameLimit)
    return reason("it is longer than " + std::to_string(kNameLimit) + " characters");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unaddressable(const Subject& subject) {
  auto reason = unaddressable_name("hostName", subject.host);
  if (!reason && !subject.is_host()) reason = unaddressable_name("description", subject.service);
  return reason;
}

std::string entity_of(const Subject& subject) {
  return subject.is_host() ? subject.host : subject.host + ":" + subject.service;
}

std::string entity_key(std::string_view entity) { return lower(trimmed(entity)); }

std::string_view status_name(State state, bool host) {
  constexpr std::array<std::string_view, 4> kHost{"UP", "DOWN", "UNREACHABLE", "UNREACHABLE"};
  constexpr std::array<std::string_view, 4> kService{"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  const std::size_t i = std::min<std::size_t>(state, 3);
  return host ? kHost[i] : kService[i];
}

std::string format_date(Wall time) {
  std::string text = format_rfc3339(time);
  if (text.ends_with('Z')) text.replace(text.size() - 1, 1, "+0000");
  return text;
}

Result<Wall> parse_date(std::string_view raw) {
  std::string text(trimmed(raw));
  if (text.empty() || text == "0") return Wall{};
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    auto milliseconds = parse_integer(text, 0, 253'402'300'799'999);  // to the year 9999
    if (milliseconds) return Wall(std::chrono::milliseconds(*milliseconds));
    return fail(Errc::invalid, quoted(raw) + " is no time");
  }
  const std::size_t sign = text.size() > 5 ? text.size() - 5 : 0;
  if (sign > 0 && (text[sign] == '+' || text[sign] == '-') && text.find(':') < sign)
    text.insert(sign + 3, ":");
  return parse_rfc3339(text);
}

std::string clean_text(std::string_view raw, std::size_t limit) {
  const std::string text = clean(raw);
  return std::string(trimmed(prefix16(trimmed(text), limit)));
}

std::string clean_perfdata(std::string_view raw, std::size_t limit) {
  std::string text = clean(raw);
  std::replace(text.begin(), text.end(), '\n', ' ');
  text = std::string(trimmed(text));
  const std::string_view fits = prefix16(text, limit);
  if (fits.size() < text.size()) text.resize(whole_metrics(text, fits.size()).size());
  return text;
}

}  // namespace checkrelay::groundwork
