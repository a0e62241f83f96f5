// [[freshness]] tables as a configuration has them, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/document.h"
#include "agent/config/freshness.h"
#include "agent/config/reader.h"

namespace checkrelay {

inline std::vector<FreshnessConfig> promises(std::string_view toml) {
  std::vector<Fault> faults;
  Reader reader("promises", faults);
  const Document document = parse_document(toml);
  EXPECT_EQ(document.error, "");
  auto configs = read_freshness(reader, document.root, Wall{});
  for (const Fault& fault : faults) ADD_FAILURE() << to_string(fault);
  return configs;
}

}  // namespace checkrelay
