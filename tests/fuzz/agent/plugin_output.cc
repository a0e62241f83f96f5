#include "agent/model/check_result.h"
#include "agent/model/perfdata.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  std::string output;
  std::string perfdata;
  split_plugin_output(text, output, perfdata);
  require(output.find('|') == output.npos && perfdata.find('\n') == perfdata.npos);
  require(output.size() + perfdata.size() <= text.size());
  std::string again;
  std::string more;
  split_plugin_output(output + "|" + perfdata, again, more);
  require(output.find('\n') != output.npos || (again == output && more == perfdata));
  (void)parse_perfdata(perfdata);
  return 0;
}
