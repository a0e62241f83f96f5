// When a planned outage is: once, or again every day, week or month. Pure.
//
// The formats are NMIS's (Opmantek's "Supported Time Formats"; NMISNG::Outage): `once` an epoch, or
// ISO 8601 whose offset may be missing, or "11-May-2023 23:21:03"; daily "22:00[:30]"; weekly
// "Friday 22:00"; monthly "31 22:00", "-1" being the last day. "24:00" is the midnight that ends
// the day. Civil times are the zone's.
//
// Both ends belong to a window, to the second. A start that lies behind its end belongs to the day
// (week, month) before: 22:00-06:00, Friday-Monday. What NMIS answers with an error is decided
// here: a day that a month does not have is its last (or first), 0 is 1; a time that a change of
// the clocks skips is moved on by the gap, and of one that comes twice a start takes the first and
// an end the second, so that no window is shortened; one that a gap or a short month would turn
// inside out keeps its length.
#pragma once

#include <optional>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/policy/zone.h"

namespace checkrelay {

enum class Frequency { once, daily, weekly, monthly };
[[nodiscard]] Result<Frequency> parse_frequency(std::string_view text);
[[nodiscard]] std::string_view to_string(Frequency f);

struct Window {
  Wall start{}, end{};  // both in it; whole seconds
  [[nodiscard]] bool holds(Wall t) const {
    const Wall second = std::chrono::floor<std::chrono::seconds>(t);
    return start <= second && second <= end;
  }
  bool operator==(const Window&) const = default;
};

// A moment of every day, week or month.
struct Moment {
  int day = 0;                     // weekly: 0 = Monday; monthly: 1-31, or -1 to -31 from its end
  std::chrono::seconds of_day{0};  // 0 to 24 h
  bool operator==(const Moment&) const = default;
};
[[nodiscard]] Result<Moment> parse_moment(Frequency f, std::string_view text);
// An absolute time; years 1970-9999. Of a local time that comes twice a beginning is the first, an
// end the second.
enum class Edge { start, end };
[[nodiscard]] Result<Wall> parse_outage_time(std::string_view text, const Zone& zone,
                                             Edge edge = Edge::start);

class WindowRule {
 public:
  WindowRule() = default;  // one second in 1970
  // Once: start < end. Errors name the argument and quote it.
  [[nodiscard]] static Result<WindowRule> parse(Frequency f, std::string_view start,
                                                std::string_view end, const Zone& zone);
  // The window that `t` is in; of two that overlap the one that ends last.
  [[nodiscard]] std::optional<Window> at(Wall t) const;
  // The first one that begins after `t`; none where there will be none.
  [[nodiscard]] std::optional<Window> next(Wall t) const;

  [[nodiscard]] Frequency frequency() const { return frequency_; }
  [[nodiscard]] const Window& once() const { return once_; }  // of frequency once

 private:
  [[nodiscard]] Window recurring(CivilDay anchor) const;
  [[nodiscard]] bool reaches_back(CivilDay anchor) const;

  Frequency frequency_ = Frequency::once;
  Window once_{};
  Moment start_{}, end_{};
  Zone zone_{};
};

}  // namespace checkrelay
