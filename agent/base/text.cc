#include "agent/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "agent/base/byte_run.h"

namespace checkrelay {
namespace {

bool digit_or_point(char c) { return (c >= '0' && c <= '9') || c == '.'; }
char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Sequence {
  std::size_t length = 1;  // of the character, or of the maximal bad sequence
  bool valid = false;
};

// Table 3-7 of the Unicode standard: which second bytes a first byte allows.
struct Lead {
  std::size_t length;
  unsigned char low, high;
};
Lead lead_of(unsigned char c) {
  if (c < 0x80) return {1, 0, 0};
  if (c >= 0xC2 && c <= 0xDF) return {2, 0x80, 0xBF};
  if (c == 0xE0) return {3, 0xA0, 0xBF};
  if (c == 0xED) return {3, 0x80, 0x9F};
  if (c >= 0xE1 && c <= 0xEF) return {3, 0x80, 0xBF};
  if (c == 0xF0) return {4, 0x90, 0xBF};
  if (c >= 0xF1 && c <= 0xF3) return {4, 0x80, 0xBF};
  if (c == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

Sequence sequence_at(std::string_view text, std::size_t at) {
  Lead lead = lead_of(static_cast<unsigned char>(text[at]));
  if (lead.length == 0) return {1, false};
  if (lead.length == 1) return {1, true};
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (at + i >= text.size()) return {i, false};
    auto c = static_cast<unsigned char>(text[at + i]);
    unsigned char low = i == 1 ? lead.low : 0x80;
    unsigned char high = i == 1 ? lead.high : 0xBF;
    if (c < low || c > high) return {i, false};
  }
  return {lead.length, true};
}

std::size_t skip_ascii(std::string_view text, std::size_t at) {
  return end_of_run(text, at, [](unsigned char c) { return c < 0x80; });
}

// Where the first bad sequence begins, or npos.
std::size_t first_bad(std::string_view text) {
  for (std::size_t at = skip_ascii(text, 0); at < text.size();) {
    Sequence s = sequence_at(text, at);
    if (!s.valid) return at;
    at = skip_ascii(text, at + s.length);
  }
  return std::string_view::npos;
}

void append_escaped(std::string& out, std::string_view piece, bool valid) {
  for (char c : piece) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (!valid || byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t substitute = diagonal + (lower_char(a[i - 1]) == lower_char(b[j - 1]) ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

// One bracket expression: pattern[at] is '['. Returns whether `c` is in it and where it ends; npos
// = no closing ']'.
std::pair<bool, std::size_t> match_class(std::string_view pattern, std::size_t at, char c) {
  std::size_t i = at + 1;
  bool negate = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negate) ++i;
  bool hit = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false, ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      hit |= pattern[i] <= c && c <= pattern[i + 2];
      i += 2;
    } else {
      hit |= pattern[i] == c;
    }
  }
  if (i >= pattern.size()) return {false, std::string_view::npos};
  return {hit != negate, i + 1};
}

// Whether the pattern element at `p` takes `c`, and where the next element begins.
std::pair<bool, std::size_t> match_one(std::string_view pattern, std::size_t p, char c) {
  if (pattern[p] == '?') return {true, p + 1};
  if (pattern[p] == '[') {
    auto [hit, end] = match_class(pattern, p, c);
    if (end != std::string_view::npos) return {hit, end};
  }
  if (pattern[p] == '\\' && p + 1 < pattern.size()) ++p;
  return {pattern[p] == c, p + 1};
}

struct SizeUnit {
  std::string_view name;
  double bytes;
};
constexpr std::array<SizeUnit, 9> kSizeUnits{{{"", 1},
                                              {"b", 1},
                                              {"kib", 1024},
                                              {"mib", 1048576},
                                              {"gib", 1073741824},
                                              {"tib", 1099511627776},
                                              {"kb", 1e3},
                                              {"mb", 1e6},
                                              {"gb", 1e9}}};

}  // namespace

std::string quoted(std::string_view raw, std::size_t limit) {
  std::string out = "\"";
  std::size_t at = 0;
  while (at < raw.size() && at < limit) {
    Sequence s = sequence_at(raw, at);
    append_escaped(out, raw.substr(at, s.length), s.valid);
    at += s.length;
  }
  out += at < raw.size() ? "…\"" : "\"";
  return out;
}

bool is_valid_utf8(std::string_view text) { return first_bad(text) == std::string_view::npos; }

std::size_t make_valid_utf8(std::string& text) {
  std::size_t bad = first_bad(text);
  if (bad == std::string_view::npos) return 0;
  std::string out = text.substr(0, bad);
  std::size_t replaced = 0;
  for (std::size_t at = bad; at < text.size();) {
    Sequence s = sequence_at(text, at);
    if (s.valid) {
      out.append(text, at, s.length);
    } else {
      out += "\xEF\xBF\xBD";
      ++replaced;
    }
    at += s.length;
  }
  text = std::move(out);
  return replaced;
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;  // no character has more than three bytes behind its first
  while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  bool inside = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
  return text.substr(0, inside ? end : limit);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    std::size_t n = text.find(separator);
    parts.push_back(text.substr(0, n));
    if (n == std::string_view::npos) return parts;
    text.remove_prefix(n + 1);
  }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower_char);
  return out;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last '*', and where in the text it was met
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      auto [hit, next] = match_one(pattern, p, text[t]);
      if (hit) {
        p = next;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<std::string_view> closest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = 3;
  for (std::string_view c : candidates) {
    std::size_t d = edit_distance(word, c);
    if (d < best_distance && d < std::max(word.size(), c.size())) {
      best = c;
      best_distance = d;
    }
  }
  if (best || word.empty()) return best;
  for (std::string_view c : candidates) {
    if (!c.starts_with(word)) continue;
    if (best) return std::nullopt;
    best = c;
  }
  return best;
}

Result<std::size_t> parse_size(std::string_view text) {
  auto split_at = std::find_if_not(text.begin(), text.end(), digit_or_point);
  auto digits = static_cast<std::size_t>(split_at - text.begin());
  auto value = parse_number(text.substr(0, digits));
  std::string unit = lower(trimmed(text.substr(digits)));
  for (const SizeUnit& u : kSizeUnits) {
    if (!value || unit != u.name || *value * u.bytes > 0x1p62) continue;
    return static_cast<std::size_t>(std::llround(*value * u.bytes));
  }
  return fail(Errc::invalid, quoted(text) + " is no size (such as \"64KiB\", \"4GiB\")");
}

std::string format_size(std::size_t bytes) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 4> kSteps{
      {{"TiB", std::size_t{1} << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}};
  for (auto [name, step] : kSteps) {
    if (bytes < step) continue;
    if (bytes % step == 0) return fmt::format("{}{}", bytes / step, name);
    return fmt::format("{:.1f}{}", static_cast<double>(bytes) / static_cast<double>(step), name);
  }
  return fmt::format("{}", bytes);
}

std::optional<long long> parse_integer(std::string_view text, long long low, long long high) {
  long long value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high)
    return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

bool same_secret(std::string_view given, std::string_view expected) {
  unsigned difference = given.size() == expected.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size(); ++i) {
    char other = expected.empty() ? '\0' : expected[i % expected.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ other));
  }
  return difference == 0;
}

}  // namespace checkrelay
