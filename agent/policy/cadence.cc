#include "agent/policy/cadence.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

// Runs of one job that follow each other at once are one report.
constexpr Duration kAtOnce = 1s;
constexpr std::array<Duration, 22> kUsual{5s,   10s,   15s,   20s,   30s,   1min,   2min, 3min,
                                          5min, 10min, 15min, 20min, 30min, 1h,     2h,   3h,
                                          4h,   6h,    8h,    12h,   24h,   7 * 24h};

struct Rhythm {
  Duration every{}, grace{};
  std::size_t results = 0;
};

std::vector<Duration> intervals_of(std::vector<Wall> times) {
  std::sort(times.begin(), times.end());
  std::vector<Duration> intervals;
  for (std::size_t i = 1; i < times.size(); ++i)
    if (const Duration d = times[i] - times[i - 1]; d >= kAtOnce) intervals.push_back(d);
  std::sort(intervals.begin(), intervals.end());
  return intervals;
}

// Late ones are what the grace is for: the longest of the usual intervals says how late, and half
// an interval is allowed in any case. One interval in ten may be a gap, such as a night.
std::optional<Rhythm> rhythm_of(const std::vector<Wall>& times) {
  const std::vector<Duration> intervals = intervals_of(times);
  if (intervals.size() + 1 < Cadence::kLeast) return std::nullopt;
  const Duration median = intervals[intervals.size() / 2];
  const Duration usual = intervals[intervals.size() - 1 - intervals.size() / 10];
  const Duration shortest = intervals[intervals.size() / 10];
  if (usual > 2 * median || 2 * shortest < median) return std::nullopt;
  const Duration every = round_interval(median);
  return Rhythm{every, round_interval(std::max(every / 2, usual - every)), intervals.size() + 1};
}

}  // namespace

Duration round_interval(Duration d) {
  Duration best = kUsual.front();
  for (const Duration usual : kUsual)
    if (std::chrono::abs(usual - d) < std::chrono::abs(best - d)) best = usual;
  const bool near = std::chrono::abs(best - d) * 10 <= best;
  if (near) return best;
  const Duration unit = d >= 2h ? Duration(1h) : d >= 2min ? Duration(1min) : Duration(1s);
  return std::max((d + unit / 2) / unit * unit, unit);
}

void Cadence::add(const Subject& subject, Wall time) {
  std::vector<Wall>& times = times_[subject];
  times.push_back(time);
  if (times.size() <= kMostTimes) return;
  times.erase(std::min_element(times.begin(), times.end()));
}

std::vector<Suggestion> Cadence::suggest() const {
  std::map<std::string, std::vector<std::pair<std::string, Rhythm>>> by_service;
  std::set<std::string> without;  // services of which some host has no rhythm, or its promise
  for (const Subject& subject : promised_) without.insert(subject.service);
  for (const auto& [subject, times] : times_) {
    if (promised_.contains(subject)) continue;
    if (const auto rhythm = rhythm_of(times)) {
      by_service[subject.service].emplace_back(subject.host, *rhythm);
    } else {
      without.insert(subject.service);
    }
  }
  std::vector<Suggestion> out;
  for (const auto& [service, hosts] : by_service) {
    Suggestion all{"*", service, hosts.front().second.every, {}, hosts.size(), 0};
    bool agree = hosts.size() > 1 && !without.contains(service);
    for (const auto& [host, r] : hosts) {
      agree = agree && r.every == all.every;
      all.grace = std::max(all.grace, r.grace);
      all.results += r.results;
    }
    if (agree) {
      out.push_back(std::move(all));
      continue;
    }
    for (const auto& [host, r] : hosts)
      out.push_back({host, service, r.every, r.grace, 1, r.results});
  }
  return out;
}

}  // namespace checkrelay
