#include "tests/agent/policy/schedule_model.h"

#include <algorithm>

namespace checkrelay {
namespace {

using namespace std::chrono;

int pick(std::mt19937& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

// Of the two languages' ways to write a set of numbers.
struct Writing {
  const char* range = "-";
  bool open_steps = true;
};

struct Written {
  std::string text{};
  std::set<int> set{};
};

std::set<int> steps(int low, int high, int step) {
  std::set<int> set;
  for (int i = low; i <= high; i += step) set.insert(i);
  return set;
}

Written one(std::mt19937& random, int low, int high, const Writing& how) {
  const int a = pick(random, low, high - 1), b = pick(random, a, high);
  const int step = pick(random, 1, std::max(1, (b - a) / 2));
  const std::string range = std::to_string(a) + how.range + std::to_string(b);
  switch (pick(random, 0, 4)) {
    case 0:
      return {std::to_string(b), {b}};
    case 1:
      return {range, steps(a, b, 1)};
    case 2:
      if (b > a) return {range + "/" + std::to_string(step), steps(a, b, step)};
      return {std::to_string(a), {a}};
    case 3:
      return {std::to_string(a) + "/1", steps(a, high, 1)};
    default:
      return {std::to_string(a), {a}};
  }
}

Written field(std::mt19937& random, int low, int high, const Writing& how) {
  const int kind = pick(random, 0, 9);
  if (kind < 4) return {"*", steps(low, high, 1)};
  if (kind == 4) {
    const int step = pick(random, 1, (high - low) / 2);
    return {"*/" + std::to_string(step), steps(low, high, step)};
  }
  Written all;
  for (int i = pick(random, 1, 3); i > 0; --i) {
    Written part = one(random, low, high, how);
    all.text += (all.text.empty() ? "" : ",") + part.text;
    all.set.merge(part.set);
  }
  return all;
}

constexpr const char* kNames[] = {"sun", "Mon", "TUE", "wednesday", "thu", "fri", "Sat"};

void write_weekdays(std::mt19937& random, MadeUp& s, std::string& text) {
  if (const int kind = pick(random, 0, 5); kind < 2) {
    const int day = pick(random, 0, 6), nth = kind == 0 ? 0 : pick(random, 1, 5);
    text = std::string(kNames[day]) + (kind == 0 ? "L" : "#" + std::to_string(nth));
    s.nth = {{day, nth}};
    return;
  }
  Written w = field(random, 0, 6, {});
  text = w.text;
  s.weekdays = w.set;
  if (pick(random, 0, 3) != 0) return;
  text = "*";
  s.weekdays = steps(0, 6, 1);
}

void write_days(std::mt19937& random, MadeUp& s, std::string& text) {
  Written w = field(random, 1, 31, {});
  text = w.text;
  s.days = w.set;
  if (pick(random, 0, 3) != 0) return;
  const int back = pick(random, 0, 3);
  const std::string last = back == 0 ? "L" : "L-" + std::to_string(back);
  s.back = {back};
  if (pick(random, 0, 1) == 0) s.days.clear();
  text = s.days.empty() ? last : text + "," + last;
}

}  // namespace

bool MadeUp::on(CivilDay day) const {
  const year_month_day date(day);
  const year_month_day_last end(date.year(), month_day_last(date.month()));
  const int number = static_cast<int>(static_cast<unsigned>(date.day()));
  const int length = static_cast<int>(static_cast<unsigned>(end.day()));
  const int of_week = static_cast<int>(weekday(day).c_encoding());
  const int which = (number - 1) / 7 + 1;
  const bool by_date = days.count(number) != 0 || back.count(length - number) != 0;
  const bool by_week = weekdays.count(of_week) != 0 || nth.count({of_week, which}) != 0 ||
                       (number + 7 > length && nth.count({of_week, 0}) != 0);
  if (months.count(static_cast<int>(static_cast<unsigned>(date.month()))) == 0) return false;
  return either_day ? by_date || by_week : by_date && by_week;
}

bool MadeUp::at(Civil time) const {
  const CivilDay day = floor<std::chrono::days>(time);
  const auto of_day = static_cast<int>(duration_cast<std::chrono::minutes>(time - day).count());
  return minutes.count(of_day % 60) != 0 && hours.count(of_day / 60) != 0 && on(day);
}

MadeUp made_up_cron(std::mt19937& random) {
  MadeUp s;
  std::string days, weekdays;
  Written minute = field(random, 0, 59, {}), hour = field(random, 0, 23, {});
  Written month = field(random, 1, 12, {});
  write_days(random, s, days);
  write_weekdays(random, s, weekdays);
  s.minutes = minute.set;
  s.hours = hour.set;
  s.months = month.set;
  s.either_day = days[0] != '*' && weekdays[0] != '*';
  s.text = minute.text + " " + hour.text + " " + days + " " + month.text + " " + weekdays;
  return s;
}

MadeUp made_up_calendar(std::mt19937& random) {
  const Writing how{"..", true};
  MadeUp s;
  Written minute = field(random, 0, 59, how), hour = field(random, 0, 23, how);
  Written month = field(random, 1, 12, how), day = field(random, 1, 31, how);
  s.minutes = minute.set;
  s.hours = hour.set;
  s.months = month.set;
  s.days = day.set;
  s.weekdays = steps(0, 6, 1);
  s.text = "*-" + month.text + "-" + day.text + " " + hour.text + ":" + minute.text;
  if (const int last = pick(random, 1, 6); pick(random, 0, 1) == 0) {
    s.text = "Mon.." + std::string(kNames[last]) + " " + s.text;
    s.weekdays = steps(1, last, 1);
  }
  if (pick(random, 0, 3) != 0) return s;
  const int from = pick(random, 2, 9);
  s.days.clear();
  s.back = steps(0, from - 1, 1);
  s.text = "*-" + month.text + "~" + std::to_string(from) + "/1 " + hour.text + ":" + minute.text;
  s.weekdays = steps(0, 6, 1);
  return s;
}

Watched::Watched(const Zone& zone, Wall begin, std::size_t count) : begin_(begin) {
  Civil newest = zone.civil(begin - minutes(1));
  for (std::size_t i = 0; i < count; ++i) {
    const Civil shows = zone.civil(begin + minutes(i));
    std::vector<Civil>& reached = reached_.emplace_back();
    for (; newest < shows; newest += minutes(1)) reached.push_back(newest + minutes(1));
  }
}

std::vector<Wall> Watched::moments(const MadeUp& schedule) const {
  std::vector<Wall> found;
  for (std::size_t i = 0; i < reached_.size(); ++i) {
    const auto matches = [&](Civil c) { return schedule.at(c); };
    if (std::any_of(reached_[i].begin(), reached_[i].end(), matches))
      found.push_back(begin_ + minutes(i));
  }
  return found;
}

std::vector<Wall> changes(const Zone& zone, Wall from, Wall to) {
  std::vector<Wall> found;
  auto offset = [&](Wall t) { return zone.civil(t).time_since_epoch() - t.time_since_epoch(); };
  for (Wall t = from; t < to; t += minutes(30))
    if (offset(t) != offset(t - minutes(30))) found.push_back(t);
  return found;
}

}  // namespace checkrelay
