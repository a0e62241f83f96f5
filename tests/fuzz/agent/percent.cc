#include "agent/base/percent.h"

#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  require(percent_decoded(text).size() <= text.size());
  require(form_decoded(text).size() == percent_decoded(text).size());
  const std::string encoded = percent_encoded(text);
  require(encoded.find_first_of("+ /?&=#") == encoded.npos);
  require(percent_decoded(encoded) == text && form_decoded(encoded) == text);
  return 0;
}
