// Performance data, read leniently and forwarded verbatim: nothing here ever changes a result.
// Source: Nagios plugin guidelines, "Performance data":
// 'label'=value[UOM];[warn];[crit];[min];[max]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace checkrelay {

struct Metric {
  std::string label{};            // unquoted
  std::optional<double> value{};  // none for "U"
  std::string unit{};
  std::string warn{}, crit{}, min{}, max{};  // as written
  bool operator==(const Metric&) const = default;
};

// What could be read, in order; `unread` gets the pieces that could not (may be null). Decimal
// commas, exponents and unknown units are read.
[[nodiscard]] std::vector<Metric> parse_perfdata(std::string_view text,
                                                 std::vector<std::string>* unread = nullptr);

}  // namespace checkrelay
