// A document in one of the three formats, which the first byte chooses. What reads must be writable
// in JSON and Perl, and read back the same.
#include "plugins/dialects/opsview/data.h"

#include <cstdint>
#include <cstdlib>

#include "agent/base/text.h"

using namespace checkrelay;
using namespace checkrelay::opsview;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  make_valid_utf8(text);
  auto read = data[0] % 3 == 0   ? parse_json(text)
              : data[0] % 3 == 1 ? parse_perl(text)
                                 : parse_xml(text);
  if (!read) return read.error().what.empty() ? (std::abort(), 0) : 0;
  if (!is_valid_utf8(to_json(*read))) std::abort();
  auto perl = parse_perl(to_perl(*read));
  if (!perl || *perl != *read) std::abort();
  return 0;
}
