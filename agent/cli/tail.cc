#include "agent/cli/tail.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kSpare = 2;  // raw bytes kept for one of text: escape sequences go
constexpr char kEscape = '\x1B';
constexpr std::string_view kBrokenBar = "\xC2\xA6";

bool between(char c, unsigned char low, unsigned char high) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= low && byte <= high;
}

// Behind the escape sequence that begins at `at` (ECMA-48 5.4 and 5.6).
std::size_t behind_escape(std::string_view text, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= text.size()) return i;
  if (text[i] == '[') {
    do ++i;
    while (i < text.size() && between(text[i], 0x20, 0x3F));
    return i < text.size() && between(text[i], 0x40, 0x7E) ? i + 1 : i;
  }
  if (text[i] == ']') {  // up to BEL or ESC \; a line end means that neither comes
    i = text.find_first_of("\a\n\x1B", i);
    if (i == text.npos) return text.size();
    if (text[i] == kEscape) return std::min(i + 2, text.size());
    return text[i] == '\a' ? i + 1 : i;
  }
  while (i < text.size() && between(text[i], 0x20, 0x2F)) ++i;
  return i < text.size() && between(text[i], 0x30, 0x7E) ? i + 1 : i;
}

bool is_control(char c) { return between(c, 0, 0x1F) || c == '\x7F'; }

// U+0080 to U+009F, which some terminals obey. REQUIRES: UTF-8.
void replace_c1(std::string& text) {
  for (std::size_t at = text.find('\xC2'); at != text.npos; at = text.find('\xC2', at + 1))
    if (between(text[at + 1], 0x80, 0x9F)) text.replace(at, 2, "?");
}

void drop_line(std::string& out) {
  std::size_t end = out.rfind('\n');
  out.resize(end == out.npos ? 0 : end + 1);
}

// From the first whole line on, where there is one, else from the first whole character.
std::string_view from_a_beginning(std::string_view text) {
  std::size_t line = text.find('\n');
  if (line != text.npos && line + 1 < text.size()) return text.substr(line + 1);
  std::size_t at = 0;
  while (at < text.size() && between(text[at], 0x80, 0xBF)) ++at;
  return text.substr(at);
}

}  // namespace

std::string harmless(std::string_view raw) {
  std::string out;
  bool returned = false;  // a carriage return came: what follows on this line replaces it
  for (std::size_t i = 0; i < raw.size();) {
    char c = raw[i];
    if (c == kEscape) {
      i = behind_escape(raw, i);
      continue;
    }
    ++i;
    if (c == '\r') {
      returned = true;
      continue;
    }
    if (returned && c != '\n') drop_line(out);
    returned = false;
    if (c == '|') {
      out += kBrokenBar;
    } else {
      out += is_control(c) && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  make_valid_utf8(out);
  replace_c1(out);
  out.erase(out.find_last_not_of(" \t\n") + 1);
  return out;
}

void Tail::add(std::string_view bytes) {
  const std::size_t most = limit_ * kSpare;
  if (bytes.size() > most) {
    bytes.remove_prefix(bytes.size() - most);
    kept_.clear();
    cut_ = true;
  }
  kept_ += bytes;
  if (kept_.size() <= 2 * most) return;
  kept_.erase(0, kept_.size() - most);
  cut_ = true;
}

void Tail::clear() {
  kept_.clear();
  cut_ = false;
}

std::string Tail::text() const {
  constexpr std::string_view kCut = "...\n";
  std::string text = harmless(cut_ ? from_a_beginning(kept_) : std::string_view(kept_));
  if (text.size() + kCut.size() <= limit_)
    return text.empty() || !cut_ ? text : std::string(kCut) + text;
  if (text.size() <= limit_ && !cut_) return text;
  std::string_view end = std::string_view(text).substr(text.size() - (limit_ - kCut.size()));
  return std::string(kCut) + std::string(from_a_beginning(end));
}

}  // namespace checkrelay
