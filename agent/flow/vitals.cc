#include "agent/flow/vitals.h"

#include <algorithm>

namespace checkrelay {
namespace {

Duration since(Wall then, Wall now) { return std::max(now - then, Duration{}); }

// What planned outages hold is where it should be.
bool is_well(const DestinationStatus& d) {
  return d.state == "ok" || (d.state == "held" && d.lane.held > 0 && !d.troubled);
}

Vitals::Destination destination_of(const DestinationStatus& d, Wall now) {
  Vitals::Destination out;
  out.name = d.name;
  out.state = is_well(d) ? "ok" : d.type == "removed" ? d.type : d.state;
  out.answer = d.lane.paused ? "by the operator" : d.last_error;
  out.lasting = d.lane.paused ? since(*d.lane.paused, now) : d.troubled;
  out.will_not_heal = d.state == "auth" || d.state == "config";
  return out;
}

}  // namespace

Vitals vitals_of(const Status& s) {
  Vitals v;
  v.accepted = s.accepted;
  v.journal_bytes = s.bytes;
  v.journal_trouble = s.trouble;
  for (const DestinationStatus& d : s.destinations) {
    v.pending += d.lane.pending + d.lane.in_flight;
    v.held += d.lane.held;
    v.dead += d.lane.dead;
    v.delivered += d.lane.delivered;
    v.destinations.push_back(destination_of(d, s.now));
    // Which of them it is that waits for so long is not known where an outage holds some.
    if (!d.lane.oldest || (d.lane.held > 0 && is_well(d))) continue;
    v.oldest = std::max(v.oldest.value_or(Duration{}), since(*d.lane.oldest, s.now));
  }
  return v;
}

}  // namespace checkrelay
