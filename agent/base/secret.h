// A password or token. It has no formatter and no stream operator, so that it cannot reach a log
// line or an error text by accident; reveal() is the only way out and easy to search for.
#pragma once

#include <string>
#include <utility>

namespace checkrelay {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

}  // namespace checkrelay
