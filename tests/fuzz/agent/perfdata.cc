// Every piece between blanks is a metric or unread, and nothing is made up.
#include "agent/model/perfdata.h"

#include <cmath>

#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<std::string> unread;
  const auto metrics = parse_perfdata(text, &unread);
  require(parse_perfdata(text) == metrics);
  std::size_t bytes = 0;
  for (const Metric& m : metrics) {
    require(!m.label.empty() && (!m.value || std::isfinite(*m.value)));
    bytes += m.label.size() + m.unit.size() + m.warn.size() + m.crit.size() + m.min.size();
  }
  for (const std::string& piece : unread) {
    require(!piece.empty() && text.find(piece) != text.npos);
    bytes += piece.size();
  }
  require(bytes <= text.size());
  return 0;
}
