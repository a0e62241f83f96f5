// Output and performance data, separated by the first NUL, on their way out: our own way in must
// read the item in every format.
#include <cstdint>
#include <cstdlib>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

using namespace checkrelay;
using groundwork::Format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  CheckResult r;
  r.subject = {"h", "s"};
  r.output = std::string(rest.substr(0, rest.find('\0')));
  r.perfdata = std::string(rest.substr(std::min(rest.size(), r.output.size() + 1)));
  for (Format f : {Format::json, Format::json_array, Format::xml}) {
    const std::string item = groundwork::encode_item(r, f, {"NAGIOS", "localhost", "a"});
    if (!is_valid_utf8(item)) std::abort();
    const std::string_view items[] = {item};
    auto batch = groundwork::read_batch(groundwork::encode_batch(items, false, f), false,
                                        f == Format::xml, 1U << 20U);
    if (!batch || batch->items.size() != 1 || !batch->items[0].fault.empty()) std::abort();
    if (batch->items[0].result.output.empty()) std::abort();
  }
  return 0;
}
