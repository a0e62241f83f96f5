// A request target taken apart: "/v1/queue?state=dead&limit=5".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "agent/base/percent.h"
#include "agent/base/text.h"

namespace checkrelay {

class RequestTarget {
 public:
  explicit RequestTarget(std::string_view target) {
    const std::size_t mark = target.find('?');
    path_ = percent_decoded(target.substr(0, mark));
    if (mark == std::string_view::npos) return;
    for (std::string_view pair : split(target.substr(mark + 1), '&')) {
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      values_[form_decoded(pair.substr(0, equals))] = form_decoded(pair.substr(equals + 1));
    }
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator[](const std::string& name) const {
    auto it = values_.find(name);
    return it == values_.end() ? std::string() : it->second;
  }
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t fallback) const {
    auto n = parse_integer((*this)[name], 0, INT64_MAX);
    return n ? static_cast<std::uint64_t>(*n) : fallback;
  }

 private:
  std::string path_;
  std::map<std::string, std::string> values_;
};

}  // namespace checkrelay
