// How often subjects report, learned from the results that are still known: what `freshness
// suggest` proposes. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/time.h"
#include "agent/model/check_result.h"

namespace checkrelay {

struct Suggestion {
  std::string host{}, service{};  // host "*": all hosts that have the service agree
  Duration every{}, grace{};
  std::size_t subjects = 0, results = 0;  // that it was learned from
};

class Cadence {
 public:
  // Three intervals at least: who reported less often may have done so by chance.
  static constexpr std::size_t kLeast = 4;
  static constexpr std::size_t kMostTimes = 1024;  // of a subject; beyond, the oldest are forgotten

  void add(const Subject& subject, Wall time);  // in any order
  // One that has promised already: nothing is proposed for it, and nothing that covers it.
  void leave_out(Subject subject) { promised_.insert(std::move(subject)); }
  // By service, then host. A rhythm is a median interval from which hardly any strays beyond its
  // double; what has none is left out.
  [[nodiscard]] std::vector<Suggestion> suggest() const;
  [[nodiscard]] std::size_t subjects() const { return times_.size(); }

 private:
  std::map<Subject, std::vector<Wall>> times_;
  std::set<Subject> promised_;
};

// As people would write it: 61 s is "1m", 7 h 58 min is "8h".
[[nodiscard]] Duration round_interval(Duration d);

}  // namespace checkrelay
