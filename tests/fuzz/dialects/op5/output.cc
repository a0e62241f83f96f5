// The text that goes out: output and perfdata, separated by the first NUL. Our own way in must be
// able to read it.
#include <cstdint>
#include <cstdlib>

#include "agent/base/text.h"
#include "plugins/dialects/op5/wire.h"

using namespace checkrelay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  CheckResult r;
  r.subject = {"h", "s"};
  r.output = std::string(rest.substr(0, rest.find('\0')));
  r.perfdata = std::string(rest.substr(std::min(rest.size(), r.output.size() + 1)));
  const op5::Hygiene hygiene{static_cast<op5::Multiline>(data[0] % 3),
                             op5::kLeastTextLimit + data[1]};
  std::string text = op5::plugin_output(r, hygiene);
  if (text.empty() || text.size() > hygiene.text_limit || !is_valid_utf8(text)) std::abort();
  auto read = op5::parse_request(false, op5::encode_body(r, hygiene), "application/json");
  if (!read || read->output.find('|') != std::string::npos) std::abort();
  return 0;
}
