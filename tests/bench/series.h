// What several runs of one measurement say, and a row of the table.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace checkrelay::bench {

double seconds_now();        // steady
void pause(double seconds);  // what is measured goes on meanwhile

struct Spread {
  double median = 0, low = 0, high = 0;
};
Spread spread(std::vector<double> values);                       // not empty
double percentile(std::vector<double> values, double fraction);  // not empty; 0.99 = p99

// What a row is held to.
struct Mark {
  enum class Of { ratio, measured };
  Of of = Of::ratio;
  bool at_most = false;  // else at least
  double bound = 0;
  double enough = 0;  // measured, which will do whatever the ratio; 0: nothing will
};

// `limits`, where there are any, is what the machine did in turn with `measured`: pairs by run.
struct Row {
  std::string name{};   // for scripts
  std::string title{};  // for people
  std::string unit{};
  std::string limit{};  // what it is held against; empty = nothing
  std::optional<Mark> mark{};
  std::vector<double> measured{};
  std::vector<double> limits{};

  [[nodiscard]] std::vector<double> ratios() const;
  [[nodiscard]] bool meets(const Mark& mark) const;  // by medians
};

}  // namespace checkrelay::bench
