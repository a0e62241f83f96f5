// Reading the agent's JSON for people. For the .cc files of views alone: it brings nlohmann.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/text.h"
#include "agent/cli/table.h"

namespace checkrelay {

using Json = nlohmann::json;

constexpr std::size_t kNameWidth = 40;
constexpr std::size_t kTextWidth = 60;

// Empty where there is none.
inline std::string text(const Json& object, const char* key, std::size_t width = kNameWidth) {
  auto it = object.find(key);
  if (it == object.end() || it->is_null()) return "";
  return plain(it->is_string() ? it->get<std::string>() : it->dump(), width);
}

inline const Json& list(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  auto it = object.find(key);
  return it != object.end() && it->is_array() ? *it : kNone;
}

inline double number(const Json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}

// What `view` makes of the object that `json` is.
template <typename View>
auto guarded(std::string_view json, View view) -> Result<decltype(view(Json()))> {
  try {
    Json document = Json::parse(json);
    if (document.is_object()) return view(document);
  } catch (const Json::exception&) {
    // Said below: the cut of the answer tells more than the parser does.
  }
  return fail(Errc::invalid, "what answers is not the agent: " + quoted(json));
}

}  // namespace checkrelay
