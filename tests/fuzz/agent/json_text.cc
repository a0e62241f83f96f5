// Whatever is written as a JSON string, another reader gets back.
#include <nlohmann/json.hpp>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(fuzz::text_of(data, size));
  make_valid_utf8(text);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key(text).text(text).key("x").begin_array().null().text(text).end_array();
  json.end_object();
  const auto read = nlohmann::json::parse(out, nullptr, false);
  require(read.is_object() && read.contains(text));
  require(read["x"][1] == text && (text == "x" || read[text] == text));
  return 0;
}
