#include "agent/cli/table.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// The first `count` characters.
std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (begins_character(text[i]) && count-- == 0) break;
  }
  return text.substr(0, i);
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::string plain(std::string_view text, std::size_t width) {
  std::string out(text);
  make_valid_utf8(out);
  // C0, DEL, and C1 (which is 0xC2 0x80 to 0xC2 0x9F): terminals act on them.
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto c = static_cast<unsigned char>(out[i]);
    if (c < 0x20 || c == 0x7f) out[i] = ' ';
    bool c1 = c == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0;
    if (c1) out.replace(i, 2, " ");
  }
  if (width_of(out) <= width) return out;
  return std::string(first_characters(out, width > 3 ? width - 3 : 0)) + "...";
}

std::string Table::text() const {
  std::vector<std::vector<std::string>> rows = rows_;
  std::vector<bool> right;
  for (std::string& heading : rows[0]) {
    right.push_back(heading.starts_with('>'));
    if (right.back()) heading.erase(0, 1);
  }
  std::vector<std::size_t> widths(right.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      std::string gap(widths[i] - width_of(row[i]), ' ');
      line += (right[i] ? gap + row[i] : row[i] + gap) + "  ";
    }
    trim_end(line);
    out += line + "\n";
  }
  return out;
}

}  // namespace checkrelay
