#include "tests/agent/policy/minute_model.h"

#include <algorithm>

namespace checkrelay {
namespace {

using namespace std::chrono;

bool is_day(Frequency f, int wanted, CivilDay day) {
  if (f == Frequency::daily) return true;
  if (f == Frequency::weekly)
    return weekday(day).iso_encoding() == static_cast<unsigned>(wanted) + 1;
  const year_month_day date(day);
  if (wanted > 0) {
    const bool last = year_month_day(day + days(1)).day() == std::chrono::day(1);
    const auto number = static_cast<int>(static_cast<unsigned>(date.day()));
    return number == wanted || (last && number < wanted);
  }
  return year_month_day(day + days(-wanted)).day() == std::chrono::day(1);
}

bool shows(Frequency f, const Moment& m, Civil c) {
  constexpr long kDay = 86400;
  if (c.time_since_epoch().count() % kDay != m.of_day.count() % kDay) return false;
  const Civil day_began = c - m.of_day;
  return floor<days>(day_began) == day_began && is_day(f, m.day, floor<days>(day_began));
}

}  // namespace

Timeline::Timeline(const Zone& zone, Wall begin, std::size_t count) : begin_(begin), shown_(count) {
  constexpr std::size_t kAhead = 120;  // minutes; no change of the clocks is longer here
  std::vector<Civil> civil;
  for (std::size_t i = 0; i < count + kAhead; ++i) civil.push_back(zone.civil(time(i)));
  Civil newest = zone.civil(begin - minutes(1));
  for (std::size_t i = 0; i < count; ++i) {
    const Civil c = civil[i];
    Showing s{c, c <= newest, false};
    for (std::size_t later : {20U, 30U, 60U, 120U}) s.again |= civil[i + later] == c;
    shown_[i].push_back(s);
    std::size_t to = i;
    for (Civil skipped = newest + minutes(1); skipped < c; skipped += minutes(1), ++to)
      if (to < count) shown_[to].push_back({skipped, false, false});
    newest = std::max(newest, c);
  }
}

Lived live_through(const Timeline& line, Frequency f, const Moment& start, const Moment& end,
                   std::size_t warm_up) {
  Lived lived;
  int open = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    int ends = 0;
    for (const Timeline::Showing& s : line.at(i)) {
      if (!s.before && shows(f, start, s.civil)) ++open;
      if (!s.again && shows(f, end, s.civil)) ++ends;
    }
    lived.in.push_back(open > 0);
    if (ends > open && i > warm_up) lived.sane = false;
    open = std::max(0, open - ends);
    lived.after.push_back(open > 0);
  }
  return lived;
}

}  // namespace checkrelay
