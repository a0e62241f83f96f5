#include "agent/policy/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <exception>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using std::chrono::seconds;

const date::time_zone& known(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

date::local_info info_of(const void* zone, Civil t) {
  return known(zone).get_info(date::local_seconds(t.time_since_epoch()));
}

Wall wall(Civil t, seconds offset) { return Wall(t.time_since_epoch() - offset); }

const date::time_zone* system_zone() {
  try {
    return date::current_zone();
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  if (name.empty()) return Zone(system_zone());
  if (name == "UTC") return Zone();
  try {
    return Zone(date::locate_zone(std::string(name)));
  } catch (const std::exception&) {
    return fail(Errc::invalid, quoted(name) + " is no time zone that this system knows");
  }
}

std::string Zone::name() const { return zone_ ? std::string(known(zone_).name()) : "UTC"; }

Civil Zone::civil(Wall t) const {
  const auto s = std::chrono::floor<seconds>(t);
  if (!zone_) return Civil(s.time_since_epoch());
  const auto offset = known(zone_).get_info(date::sys_seconds(s.time_since_epoch())).offset;
  return Civil(s.time_since_epoch() + offset);
}

// The offset before a change moves a skipped time on by the gap, and tells the first of two.
Wall Zone::first(Civil t) const {
  if (!zone_) return wall(t, seconds(0));
  return wall(t, info_of(zone_, t).first.offset);
}

Wall Zone::second(Civil t) const {
  if (!zone_) return wall(t, seconds(0));
  const date::local_info info = info_of(zone_, t);
  const bool twice = info.result == date::local_info::ambiguous;
  return wall(t, twice ? info.second.offset : info.first.offset);
}

Wall Zone::reached(Civil t) const {
  if (!zone_) return wall(t, seconds(0));
  const date::local_info info = info_of(zone_, t);
  if (info.result == date::local_info::nonexistent) return Wall(info.first.end.time_since_epoch());
  return wall(t, info.first.offset);
}

Civil Zone::shown(Wall t) const {
  const Civil now = civil(t);
  if (!zone_) return now;
  constexpr auto kLongestFold = std::chrono::days(2);
  const auto s = date::sys_seconds(std::chrono::floor<seconds>(t).time_since_epoch());
  const date::sys_info info = known(zone_).get_info(s);
  if (info.begin < s - kLongestFold) return now;
  const date::sys_info before = known(zone_).get_info(info.begin - seconds(1));
  const Civil last((info.begin - seconds(1)).time_since_epoch() + before.offset);
  return std::max(now, last);
}

}  // namespace checkrelay
