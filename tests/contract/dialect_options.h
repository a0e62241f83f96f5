// Options that every dialect takes, made of its own rows.
#pragma once

#include <string>
#include <vector>

#include "agent/base/text.h"
#include "agent/port/dialect.h"

namespace checkrelay {

// A value that passes its row.
inline Options::Value sample(const OptionRow& row) {
  const std::string fallback(row.fallback);
  switch (row.kind) {
    case OptionKind::secret:
      return Secret("hunter2-secret");
    case OptionKind::url:
      return std::string("https://upstream.example.com");
    case OptionKind::path:
      return std::string("/var/log/results.log");
    case OptionKind::boolean:
      return fallback == "true";
    case OptionKind::integer:
      return parse_integer(fallback, row.low, row.high).value_or(row.low);
    case OptionKind::number:
      return parse_number(fallback).value_or(0);
    case OptionKind::duration:
      return parse_duration(fallback).value_or(Duration(0));
    case OptionKind::size:
      return static_cast<long long>(parse_size(fallback).value_or(4096));
    case OptionKind::mode:
      return 0640LL;
    case OptionKind::list:
      return std::vector<std::string>{};
    case OptionKind::text:
    case OptionKind::choice:
      return fallback.empty() ? std::string("relay") : fallback;
  }
  return fallback;
}

inline Options sample_options(const Dialect& dialect) {
  Options options;
  for (const OptionRow& row : dialect.options()) options.set(row.name, sample(row));
  options.set("name", std::string("central"));
  return options;
}

}  // namespace checkrelay
