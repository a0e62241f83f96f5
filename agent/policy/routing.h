// Which destinations a subject's results go to.
#pragma once

#include <string>
#include <vector>

#include "agent/model/check_result.h"
#include "agent/port/journal.h"

namespace checkrelay {

struct Route {
  std::string host = "*";     // glob patterns
  std::string service = "*";  // "*" and "" take host checks too
  LaneMask lanes = 0;
};

class Router {
 public:
  // `everywhere` is where results go while there is no route at all.
  explicit Router(LaneMask everywhere = 0, std::vector<Route> routes = {});
  // The union of all routes that match; 0 = nobody takes it.
  [[nodiscard]] LaneMask route(const Subject& subject) const;

 private:
  LaneMask everywhere_;
  std::vector<Route> routes_;
};

}  // namespace checkrelay
