#include "agent/policy/freshness_text.h"

#include <array>
#include <cstdio>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

// None of the values can hold one of these.
constexpr std::array<std::string_view, 4> kNames{"{last}", "{due}", "{age}", "{schedule}"};
constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

std::string padded(long long number, int width) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%0*lld", width, number);
  return text.data();
}

std::string date_words(CivilDay day) {
  const year_month_day date(day);
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2);
}

std::string clock_words(seconds of_day) {
  const auto all = of_day.count();
  std::string text = padded(all / 3600, 2) + ":" + padded(all / 60 % 60, 2);
  if (all % 60 != 0) text += ":" + padded(all % 60, 2);
  return text;
}

const Zone& zone_of(const Promise& promise) {
  if (promise.schedule && promise.schedule->zone()) return *promise.schedule->zone();
  return promise.zone;
}

void replace_all(std::string& text, std::string_view name, const std::string& value) {
  for (std::size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size()))
    text.replace(at, name.size(), value);
}

}  // namespace

const Zone& own_zone() {
  static const Zone zone = Zone::find("").value_or(Zone());
  return zone;
}

std::string rough(Duration d) {
  const auto count = [&](auto unit) { return d / unit; };
  if (d >= 48h) return std::to_string(count(24h)) + " d";
  if (d >= 2h) return std::to_string(count(1h)) + " h";
  if (d >= 2min) return std::to_string(count(1min)) + " min";
  return std::to_string(count(1s)) + " s";
}

std::string at_words(Wall t, const Zone& zone, Wall now) {
  if (t == Wall{}) return "never";
  const Civil civil = zone.civil(t);
  const CivilDay day = floor<days>(civil);
  const bool near = abs(t - now) < 6 * 24h;
  const std::string when =
      near ? std::string(kDays[weekday(day).iso_encoding() - 1]) : date_words(day);
  return when + " " + clock_words(civil - day) + " " + zone.name();
}

std::string due_words(Wall due, const Zone& zone, Wall now) {
  const std::string at = at_words(due, zone, now);
  if (due == Wall{}) return at;
  return due >= now ? at + ", in " + rough(due - now) : at + ", " + rough(now - due) + " ago";
}

std::string promise_words(const Promise& promise, bool by_ttl) {
  if (by_ttl) return "ttl";
  if (promise.schedule) return promise.schedule->text();
  return promise.every > Duration{} ? "every " + format_duration(promise.every) : "none";
}

std::string fill_output(std::string_view text, const FreshnessNews& news, const Promise& promise,
                        Wall now) {
  const Zone& zone = zone_of(promise);
  const std::array<std::string, 4> values{at_words(news.last, zone, now),
                                          at_words(news.due, zone, now),
                                          news.last == Wall{} ? "never" : rough(now - news.last),
                                          promise_words(promise, news.record.standing.by_ttl)};
  std::string filled(text);
  for (std::size_t i = 0; i < kNames.size(); ++i) replace_all(filled, kNames[i], values[i]);
  if (news.while_down) filled += " (the agent was not running when it was due)";
  return filled;
}

Result<void> check_output(std::string_view text) {
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) return {};
    const std::string_view name = text.substr(at, end + 1 - at);
    bool known = false;
    for (std::string_view one : kNames) known |= one == name;
    if (!known)
      return fail(Errc::invalid, quoted(name) + " is not {last}, {due}, {age} or {schedule}");
  }
  return {};
}

}  // namespace checkrelay
