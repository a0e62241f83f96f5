#include "tests/bench/series.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace checkrelay::bench {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

double percentile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  auto rank = std::ceil(fraction * static_cast<double>(values.size()));
  return values[std::max(static_cast<std::size_t>(rank), std::size_t{1}) - 1];
}

Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t half = values.size() / 2;
  double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

std::vector<double> Row::ratios() const {
  std::vector<double> out;
  for (std::size_t i = 0; i < std::min(measured.size(), limits.size()); ++i)
    out.push_back(measured[i] / limits[i]);
  return out;
}

bool Row::meets(const Mark& m) const {
  double value = spread(m.of == Mark::Of::ratio ? ratios() : measured).median;
  if (m.enough > 0 && spread(measured).median >= m.enough) return true;
  return m.at_most ? value <= m.bound : value >= m.bound;
}

}  // namespace checkrelay::bench
