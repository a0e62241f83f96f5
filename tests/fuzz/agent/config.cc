// The configuration, with everything that is built in. Names of files are left out: reading those
// is the loader's only business outside memory.
#include "agent/config/config.h"

#include <string>

#include "plugins/builtin.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Registry registry = builtin_registry();
  const std::string_view text = fuzz::text_of(data, size);
  if (text.find("_file") != text.npos || text.find("\\u") != text.npos) return 0;
  const Loaded loaded = parse_config(text, "fuzz.toml", registry);
  int line = 0;
  for (const Fault& fault : loaded.faults) {
    require(!fault.what.empty() && fault.line >= line);
    line = fault.line;
    require(to_string(fault).find('\n') == std::string::npos);
  }
  if (!loaded.faults.empty()) return 0;
  const Loaded again = parse_config(text, "fuzz.toml", registry);
  require(again.config.agent == loaded.config.agent &&
          again.config.destinations == loaded.config.destinations);
  return 0;
}
