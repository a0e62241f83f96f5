#include "agent/policy/routing.h"

#include <utility>

#include "agent/base/text.h"

namespace checkrelay {

Router::Router(LaneMask everywhere, std::vector<Route> routes)
    : everywhere_(everywhere), routes_(std::move(routes)) {}

LaneMask Router::route(const Subject& subject) const {
  if (routes_.empty()) return everywhere_;
  LaneMask lanes = 0;
  for (const Route& r : routes_)
    if (glob_match(r.host, subject.host) && glob_match(r.service, subject.service))
      lanes |= r.lanes;
  return lanes;
}

}  // namespace checkrelay
