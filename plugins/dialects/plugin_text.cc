#include "plugins/dialects/plugin_text.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::string_view kBrokenBar = "\u00a6";

std::string cleaned(std::string_view raw, bool lines) {
  std::string text(raw);
  make_valid_utf8(text);
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) text.erase(at, 1);
  for (char& c : text) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    if (control && c != '\t' && !(lines && c == '\n')) c = ' ';
  }
  return std::string(trimmed(text));
}

}  // namespace

std::string clean_lines(std::string_view text) { return cleaned(text, true); }

std::string clean_line(std::string_view text) { return cleaned(text, false); }

std::string flattened(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trimmed(line);
    if (!line.empty() && !out.empty()) out += " / ";
    out += line;
  }
  return out;
}

std::string without_pipes(std::string_view text) {
  std::string out;
  for (char c : text) c == '|' ? out += kBrokenBar : out += c;
  return out;
}

std::string_view whole_metrics(std::string_view perfdata, std::size_t limit) {
  if (perfdata.size() <= limit) return perfdata;
  std::size_t end = 0;
  bool in_quotes = false;
  for (std::size_t i = 0; i <= limit; ++i) {
    if (perfdata[i] == '\'') in_quotes = !in_quotes;
    if (perfdata[i] == ' ' && !in_quotes) end = i;
  }
  return perfdata.substr(0, end);
}

State upstream_state(State state, bool host) {
  if (host) return state > 2 ? State{1} : state;
  return std::min(state, State{3});
}

}  // namespace checkrelay
