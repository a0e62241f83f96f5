#include "agent/model/perfdata.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

// One metric ends at a blank outside quotes; only a label that begins with a quote is quoted.
std::string_view next_piece(std::string_view& rest) {
  rest = rest.substr(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  bool may_quote = rest.starts_with('\'');
  bool quoted_label = false;
  std::size_t end = 0;
  for (; end < rest.size(); ++end) {
    if (may_quote && rest[end] == '\'') quoted_label = !quoted_label;
    if (!quoted_label && std::string_view(" \t\r\n").find(rest[end]) != std::string_view::npos)
      break;
  }
  std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(end);
  return piece;
}

// 'it''s' -> it's
std::string unquoted_label(std::string_view label) {
  if (label.size() < 2 || label.front() != '\'' || label.back() != '\'') return std::string(label);
  std::string out;
  label = label.substr(1, label.size() - 2);
  for (std::size_t i = 0; i < label.size(); ++i) {
    out += label[i];
    if (label[i] == '\'' && i + 1 < label.size() && label[i + 1] == '\'') ++i;
  }
  return out;
}

bool part_of_number(std::string_view text, std::size_t i) {
  char c = text[i];
  if ((c >= '0' && c <= '9') || c == '.' || c == ',' || c == '-' || c == '+') return true;
  return (c == 'e' || c == 'E') && i > 0 && i + 1 < text.size() &&
         (text[i + 1] == '-' || text[i + 1] == '+' || (text[i + 1] >= '0' && text[i + 1] <= '9'));
}

bool read_value(std::string_view field, Metric& m) {
  if (field == "U") return true;
  std::size_t end = 0;
  while (end < field.size() && part_of_number(field, end)) ++end;
  std::string digits(field.substr(0, end));
  std::replace(digits.begin(), digits.end(), ',', '.');
  m.value = parse_number(digits.starts_with('+') ? std::string_view(digits).substr(1) : digits);
  m.unit = field.substr(end);
  return m.value.has_value();
}

bool read_metric(std::string_view piece, Metric& m) {
  std::size_t equals = piece.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  m.label = unquoted_label(piece.substr(0, equals));
  if (m.label.empty()) return false;
  std::vector<std::string_view> fields = split(piece.substr(equals + 1), ';');
  std::string* const limits[] = {&m.warn, &m.crit, &m.min, &m.max};
  for (std::size_t i = 0; i < 4 && i + 1 < fields.size(); ++i) *limits[i] = fields[i + 1];
  return read_value(fields[0], m);
}

}  // namespace

std::vector<Metric> parse_perfdata(std::string_view text, std::vector<std::string>* unread) {
  std::vector<Metric> metrics;
  for (std::string_view rest = text;;) {
    std::string_view piece = next_piece(rest);
    if (piece.empty()) return metrics;
    Metric m;
    if (read_metric(piece, m)) {
      metrics.push_back(std::move(m));
    } else if (unread) {
      unread->emplace_back(piece);
    }
  }
}

}  // namespace checkrelay
