#include "agent/cli/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

unsigned char byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

bool begins_map(unsigned char c) { return (c >= 0x80 && c <= 0x8f) || c == 0xde || c == 0xdf; }

// Big-endian.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < width; ++i) out = out << 8 | byte_at(bytes, at + i);
  return out;
}

// One MessagePack head: https://github.com/msgpack/msgpack/blob/master/spec.md, "Formats".
struct Head {
  std::size_t width = 0;       // bytes of the length that follows the first byte
  std::uint64_t fixed = 0;     // payload, where there is no length
  std::uint64_t extra = 0;     // bytes beside the payload (the type of an extension)
  std::uint64_t children = 0;  // for each element of the length, or `fixed_children` alone
  std::uint64_t fixed_children = 0;
};

Head small_head(unsigned char c) {
  if (c >= 0x80 && c <= 0x8f) return {.fixed_children = 2ULL * (c & 0x0fU)};
  if (c >= 0x90 && c <= 0x9f) return {.fixed_children = c & 0x0fU};
  if (c >= 0xa0 && c <= 0xbf) return {.fixed = c & 0x1fU};
  return {};
}

std::optional<Head> head_of(unsigned char c) {
  if (c < 0xc0 || c >= 0xe0) return small_head(c);
  if (c == 0xc1) return std::nullopt;
  if (c <= 0xc3) return Head{};
  if (c <= 0xc6) return Head{.width = 1U << (c - 0xc4U)};
  if (c <= 0xc9) return Head{.width = 1U << (c - 0xc7U), .extra = 1};
  if (c <= 0xcb) return Head{.fixed = c == 0xca ? 4U : 8U};
  if (c <= 0xcf) return Head{.fixed = 1U << (c - 0xccU)};
  if (c <= 0xd3) return Head{.fixed = 1U << (c - 0xd0U)};
  if (c <= 0xd8) return Head{.fixed = 1U + (1U << (c - 0xd4U))};
  if (c <= 0xdb) return Head{.width = 1U << (c - 0xd9U)};
  return Head{.width = c % 2 == 0 ? 2U : 4U, .children = c >= 0xde ? 2U : 1U};
}

// The end of the string that begins at `at` (a quote); npos where it has none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.npos;
}

// True where a JSON object has `key` (which needs no escapes) at its outermost level.
bool has_key(std::string_view object, std::string_view key) {
  int depth = 0;
  bool name = false;  // at a place where a key may stand
  for (std::size_t i = 0; i < object.size(); ++i) {
    char c = object[i];
    if (c == '"') {
      std::size_t end = end_of_string(object, i);
      if (end == object.npos) return true;  // broken: leave it to the agent
      if (depth == 1 && name && object.substr(i + 1, end - i - 2) == key) return true;
      i = end - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    if (c == '{' || c == ',') name = true;
    if (c == ':') name = false;
  }
  return false;
}

// The text of a JSON string that begins behind its quote; escapes of more than a byte stay as they
// are.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
    bool escape = text[i] == '\\' && i + 1 < text.size() && text[i + 1] != 'u';
    if (escape) ++i;
    char c = text[i];
    out += escape && c == 'n' ? '\n' : escape && c == 't' ? '\t' : escape && c == 'r' ? '\r' : c;
  }
  return out;
}

}  // namespace

std::optional<std::size_t> msgpack_length(std::string_view bytes) {
  std::size_t at = 0;
  // Each open object takes at least a byte, so the count is bounded by what is there.
  for (std::uint64_t open = 1; open > 0; --open) {
    if (at >= bytes.size()) return 0;
    auto head = head_of(byte_at(bytes, at));
    if (!head) return std::nullopt;
    ++at;
    if (bytes.size() - at < head->width) return 0;
    std::uint64_t length = number_at(bytes, at, head->width);
    at += head->width;
    std::uint64_t payload = head->fixed + head->extra + (head->children ? 0 : length);
    if (bytes.size() - at < payload) return 0;
    at += static_cast<std::size_t>(payload);
    open += head->fixed_children + head->children * length;
  }
  return at;
}

void Feed::drop(std::size_t count) {
  begin_ += count;
  if (begin_ < buffer_.size() / 2) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
}

Item Feed::refuse(std::string what) { return {number_, {}, std::move(what)}; }

void Feed::tell_format() {
  auto c = byte_at(rest(), 0);
  format_ = c == '{'        ? Format::json
            : c == '['      ? Format::commands
            : begins_map(c) ? Format::msgpack
                            : Format::text;
}

bool Feed::fits(std::string_view line) const {
  if (format_ == Format::json) return line[0] == '{';
  if (format_ == Format::commands) return line[0] == '[';
  return line[0] != '{' && line[0] != '[';
}

std::optional<Item> Feed::next() {
  if (format_ == Format::broken) return std::nullopt;
  if (format_ == Format::unknown) {
    while (!rest().empty() && (rest()[0] == '\n' || rest()[0] == '\r')) {
      number_ += rest()[0] == '\n' ? 1 : 0;
      drop(1);
    }
    if (rest().empty()) return std::nullopt;
    tell_format();
  }
  return format_ == Format::msgpack ? next_map() : next_line();
}

std::optional<Item> Feed::next_line() {
  for (;;) {
    std::size_t end = rest().find('\n');
    bool whole = end != std::string_view::npos;
    if (!whole && rest().size() > limit_) {
      bool first = !skipping_;
      skipping_ = true;
      drop(rest().size());
      if (!first) return std::nullopt;
      ++number_;
      return refuse(fmt::format("is longer than {}", format_size(limit_)));
    }
    if (!whole && (!finished_ || rest().empty())) return std::nullopt;
    std::string line(rest().substr(0, end));
    drop(whole ? end + 1 : rest().size());
    if (std::exchange(skipping_, false)) continue;
    ++number_;
    if (line.size() > limit_) return refuse(fmt::format("is longer than {}", format_size(limit_)));
    if (trimmed(line).empty()) continue;
    if (!fits(line)) return refuse("is not in the format of the first line: " + quoted(line));
    return Item{number_, line + "\n", {}};
  }
}

std::optional<Item> Feed::next_map() {
  if (rest().empty()) return std::nullopt;
  auto length = msgpack_length(rest());
  bool map = length && begins_map(byte_at(rest(), 0));
  if (map && *length == 0 && !finished_ && rest().size() <= limit_) return std::nullopt;
  ++number_;
  if (map && *length > 0 && *length <= limit_) {
    Item item{number_, std::string(rest().substr(0, *length)), {}};
    drop(*length);
    return item;
  }
  format_ = Format::broken;  // nobody knows where the next one begins
  buffer_.clear();
  begin_ = 0;
  return refuse("is no MessagePack map that ends within " + format_size(limit_));
}

std::string with_identity(std::string_view line, std::string_view id, Wall time) {
  std::size_t first = line.find_first_not_of(" \t\r\n", line.starts_with('{') ? 1 : line.npos);
  if (first == line.npos) return std::string(line);
  std::string extra;
  JsonWriter json(extra);
  // An id made up here would name a run that nobody can end.
  if (!has_key(line, "id") && !has_key(line, "start")) json.key("id").text(id);
  if (!has_key(line, "time")) json.key("time").number(epoch_seconds(time));
  if (!extra.empty() && line[first] != '}') extra += ',';
  return "{" + extra + std::string(line.substr(1));
}

std::string without_line_number(const std::string& error) {
  std::size_t word = error.starts_with("line ") ? 5 : error.starts_with("element ") ? 8 : 0;
  std::size_t digits = word > 0 ? error.find_first_not_of("0123456789", word) : 0;
  bool numbered = digits != error.npos && digits > word && error.compare(digits, 2, ": ") == 0;
  return numbered ? error.substr(digits + 2) : error;
}

Reply parse_reply(std::string_view line) {
  if (line.starts_with("{\"ok\":true")) return {true, {}, false};
  constexpr std::string_view kError = "\"error\":\"";
  std::size_t at = line.find(kError);
  if (!line.starts_with("{\"ok\":false") || at == line.npos) {
    return {false, "unexpected reply " + quoted(line), false};
  }
  return {false, unescaped(line.substr(at + kError.size())), line.ends_with(",\"retry\":true}")};
}

}  // namespace checkrelay
