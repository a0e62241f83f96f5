// Prometheus text exposition (version 0.0.4) of a snapshot. The only file that knows prometheus-cpp
// is metrics.cc.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace checkrelay {

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels{};
  double value = 0;
};

struct MetricFamily {
  std::string name{};  // counters end in _total
  std::string help{};
  bool counter = false;  // else a gauge
  std::vector<Sample> samples{};
};

[[nodiscard]] std::string metrics_text(const std::vector<MetricFamily>& families);

}  // namespace checkrelay
