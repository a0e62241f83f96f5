#include "agent/base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace checkrelay {
namespace {

prometheus::ClientMetric metric_of(const Sample& sample, bool counter) {
  prometheus::ClientMetric m;
  for (const auto& [name, value] : sample.labels) m.label.push_back({name, value});
  (counter ? m.counter.value : m.gauge.value) = sample.value;
  return m;
}

}  // namespace

std::string metrics_text(const std::vector<MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> out;
  for (const MetricFamily& f : families) {
    prometheus::MetricFamily& family = out.emplace_back();
    family.name = f.name;
    family.help = f.help;
    family.type = f.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    for (const Sample& s : f.samples) family.metric.push_back(metric_of(s, f.counter));
  }
  return prometheus::TextSerializer{}.Serialize(out);
}

}  // namespace checkrelay
