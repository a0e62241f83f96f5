#include "agent/policy/window.h"

#include <algorithm>
#include <array>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 4> kFrequencies{"once", "daily", "weekly", "monthly"};

// The day, Monday or first of the month that `t` lies in.
CivilDay anchor_of(Frequency f, Civil t) {
  const CivilDay day = floor<days>(t);
  if (f == Frequency::weekly) return day - (weekday(day) - Monday);
  if (f == Frequency::monthly) {
    const year_month_day date(day);
    return CivilDay(date.year() / date.month() / 1);
  }
  return day;
}

CivilDay moved(Frequency f, CivilDay anchor, int steps) {
  if (f == Frequency::daily) return anchor + days(steps);
  if (f == Frequency::weekly) return anchor + days(7 * steps);
  return CivilDay(year_month_day(anchor) + months(steps));
}

CivilDay month_day(CivilDay first, int wanted) {
  const year_month_day date(first);
  const year_month_day_last last(date.year(), month_day_last(date.month()));
  const int length = static_cast<int>(static_cast<unsigned>(last.day()));
  const int number = wanted < 0 ? length + 1 + wanted : wanted;
  return first + days(std::clamp(number, 1, length) - 1);
}

Civil occurrence(Frequency f, const Moment& m, CivilDay anchor) {
  if (f == Frequency::monthly) return month_day(anchor, m.day) + m.of_day;
  return anchor + days(m.day) + m.of_day;
}

bool behind(const Moment& a, const Moment& b) {
  return a.day != b.day ? a.day > b.day : a.of_day > b.of_day;
}

seconds length(const Moment& start, const Moment& end) {
  return days(end.day - start.day) + (end.of_day - start.of_day);
}

bool same_count(const Moment& a, const Moment& b) { return (a.day < 0) == (b.day < 0); }

}  // namespace

Result<Frequency> parse_frequency(std::string_view text) {
  auto found = std::find(kFrequencies.begin(), kFrequencies.end(), text);
  if (found == kFrequencies.end())
    return fail(Errc::invalid, quoted(text) + " is not once, daily, weekly or monthly");
  return static_cast<Frequency>(found - kFrequencies.begin());
}

std::string_view to_string(Frequency f) { return kFrequencies[static_cast<std::size_t>(f)]; }

Result<WindowRule> WindowRule::parse(Frequency f, std::string_view start, std::string_view end,
                                     const Zone& zone) {
  auto named = [](std::string_view name, const Error& e) {
    return fail(e.code, std::string(name) + ": " + e.what);
  };
  WindowRule rule;
  rule.frequency_ = f;
  rule.zone_ = zone;
  if (f == Frequency::once) {
    auto from = parse_outage_time(start, zone), to = parse_outage_time(end, zone, Edge::end);
    if (!from) return named("start", from.error());
    if (!to) return named("end", to.error());
    rule.once_ = {floor<seconds>(*from), floor<seconds>(*to)};
    if (rule.once_.start < rule.once_.end) return rule;
    return fail(Errc::invalid, "end: " + quoted(end) + " is not after the start");
  }
  auto from = parse_moment(f, start), to = parse_moment(f, end);
  if (!from) return named("start", from.error());
  if (!to) return named("end", to.error());
  rule.start_ = *from;
  rule.end_ = *to;
  return rule;
}

// By what the moments say, so that short months change nothing; where one counts from the end of
// the month, by the month.
bool WindowRule::reaches_back(CivilDay anchor) const {
  if (same_count(start_, end_)) return behind(start_, end_);
  return occurrence(frequency_, start_, anchor) > occurrence(frequency_, end_, anchor);
}

// The one that ends in the anchor's day, week or month.
Window WindowRule::recurring(CivilDay anchor) const {
  const CivilDay before = reaches_back(anchor) ? moved(frequency_, anchor, -1) : anchor;
  const Civil start = occurrence(frequency_, start_, before);
  Civil end = occurrence(frequency_, end_, anchor);
  if (end < start) end = start + std::max(length(start_, end_), seconds(0));  // a short month
  Window w{zone_.first(start), zone_.second(end)};
  if (w.end < w.start) w.end = w.start + (end - start);
  return w;
}

std::optional<Window> WindowRule::at(Wall t) const {
  if (frequency_ == Frequency::once)
    return once_.holds(t) ? std::optional<Window>(once_) : std::nullopt;
  const CivilDay anchor = anchor_of(frequency_, zone_.civil(t));
  std::optional<Window> found;
  for (int step : {-1, 0, 1}) {
    const Window w = recurring(moved(frequency_, anchor, step));
    if (w.holds(t) && (!found || w.end > found->end)) found = w;
  }
  return found;
}

std::optional<Window> WindowRule::next(Wall t) const {
  if (frequency_ == Frequency::once)
    return once_.start > t ? std::optional<Window>(once_) : std::nullopt;
  const CivilDay anchor = anchor_of(frequency_, zone_.civil(t));
  std::optional<Window> found;
  for (int step : {-1, 0, 1, 2, 3}) {
    const Window w = recurring(moved(frequency_, anchor, step));
    if (w.start > t && (!found || w.start < found->start)) found = w;
  }
  return found;
}

}  // namespace checkrelay
