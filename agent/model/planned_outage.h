// A planned window in which trouble is expected, as its source tells it (NMIS: outage; Nagios:
// downtime). Plain values; what they mean is agent/policy/outage.h.
#pragma once

#include <string>
#include <vector>

namespace checkrelay {

struct OutageElement {
  std::string node{};
  std::string element{};  // exact, "regex:…" or "iregex:…"
  bool operator==(const OutageElement&) const = default;
};

// Names are compared exactly.
struct PlannedOutage {
  std::string id{};
  std::string change_id{};
  std::string description{};
  std::string frequency = "once";  // or daily, weekly, monthly
  std::string start{}, end{};      // once: epoch seconds, or a date; else a civil moment ("22:00")
  std::vector<std::string> nodes{};
  std::vector<OutageElement> elements{};
  bool operator==(const PlannedOutage&) const = default;
};

}  // namespace checkrelay
