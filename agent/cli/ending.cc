#include "agent/cli/ending.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr State kOk = 0;
constexpr State kWarning = 1;
constexpr State kCritical = 2;

constexpr int kLocked = 75;
constexpr int kTimedOut = 124;
constexpr int kNotRunnable = 126;
constexpr int kNotFound = 127;
constexpr int kKilled = 128;

std::string signal_text(int number) {
  const char* name = ::sigabbrev_np(number);
  return name ? fmt::format("signal {} ({})", number, name) : fmt::format("signal {}", number);
}

int signal_named(std::string_view name) {
  for (int number = 1; number < NSIG; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known && equals_ignoring_case(name, std::string("SIG") + known)) return number;
  }
  return 0;
}

std::string seconds(Duration d) { return fmt::format("{:.3f}", to_seconds(d)); }

// For people: one digit behind the point while it says something.
std::string elapsed(Duration d) {
  if (d < std::chrono::seconds(1)) return fmt::format("{:.2f} s", to_seconds(d));
  return fmt::format("{:.{}f} s", to_seconds(d), d < std::chrono::minutes(10) ? 1 : 0);
}

// As short as can be, for the limits of perfdata.
std::string limit(Duration d) { return d > Duration{} ? fmt::format("{}", to_seconds(d)) : ""; }

std::string what_ended(const Ending& e) {
  switch (e.kind) {
    case Ending::Kind::exited:
      return fmt::format("exit {}", e.code);
    case Ending::Kind::killed:
      return signal_text(e.code) + (e.core ? ", core dumped" : "");
    case Ending::Kind::timed_out:
      return e.code > 0 ? "timeout, ended by " + signal_text(e.code) : "timeout";
    default:
      return fmt::format("exit {}, not started: {}", exit_status(e), e.why);
  }
}

}  // namespace

int exit_status(const Ending& e) {
  switch (e.kind) {
    case Ending::Kind::exited:
      return e.code;
    case Ending::Kind::killed:
      return kKilled + e.code;
    case Ending::Kind::timed_out:
      return kTimedOut;
    case Ending::Kind::not_found:
      return kNotFound;
    case Ending::Kind::not_runnable:
      return kNotRunnable;
    case Ending::Kind::locked:
      break;
  }
  return kLocked;
}

bool StateMap::Entry::fits(const Ending& e) const {
  switch (what) {
    case What::signal:
      return e.kind == Ending::Kind::killed && low <= e.code && e.code <= high;
    case What::timeout:
      return e.kind == Ending::Kind::timed_out;
    case What::locked:
      return e.kind == Ending::Kind::locked;
    case What::rest:
      return exit_status(e) != 0;
    case What::status:
      break;
  }
  bool status = e.kind == Ending::Kind::exited || e.kind == Ending::Kind::not_found ||
                e.kind == Ending::Kind::not_runnable;
  return status && low <= exit_status(e) && exit_status(e) <= high;
}

Result<StateMap::Entry> StateMap::parse_what(std::string_view text) {
  if (text == "*") return Entry{What::rest, 0, 0, 0};
  if (equals_ignoring_case(text, "timeout")) return Entry{What::timeout, 0, 0, 0};
  if (equals_ignoring_case(text, "locked")) return Entry{What::locked, 0, 0, 0};
  if (equals_ignoring_case(text, "signal")) return Entry{What::signal, 1, NSIG, 0};
  if (int number = signal_named(text)) return Entry{What::signal, number, number, 0};
  const std::size_t dash = text.find('-');
  auto low = parse_integer(text.substr(0, dash), 0, 255);
  auto high = dash == text.npos ? low : parse_integer(text.substr(dash + 1), 0, 255);
  if (!low || !high || *low > *high)
    return fail(Errc::invalid,
                fmt::format("{} is no exit status (0-255), range of them, signal, SIGNAME, "
                            "timeout, locked or *",
                            quoted(text)));
  return Entry{What::status, static_cast<int>(*low), static_cast<int>(*high), 0};
}

Result<StateMap::Entry> StateMap::parse_entry(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return fail(Errc::invalid, quoted(text) + " is not WHAT=STATE");
  auto entry = parse_what(trimmed(text.substr(0, equals)));
  auto state = parse_state(trimmed(text.substr(equals + 1)), false);
  if (entry && !state) return tl::unexpected<Error>(state.error());
  if (entry) entry->state = *state;
  return entry;
}

Result<StateMap> StateMap::parse(std::string_view text) {
  StateMap out;
  for (std::string_view part : split(text, ',')) {
    auto entry = parse_entry(trimmed(part));
    if (!entry) return tl::unexpected<Error>(entry.error());
    out.entries_.push_back(*entry);
  }
  return out;
}

State StateMap::state_of(const Ending& e) const {
  const Entry* rest = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.what == What::rest) {
      if (!rest && entry.fits(e)) rest = &entry;
    } else if (entry.fits(e)) {
      return entry.state;
    }
  }
  if (rest) return rest->state;
  return exit_status(e) == 0 && e.kind == Ending::Kind::exited ? kOk : kCritical;
}

State judge(const Ending& e, const StateMap& map, const RunLimits& limits) {
  State state = map.state_of(e);
  auto longer = [&e](Duration than) { return than > Duration{} && e.wall > than; };
  if (longer(limits.crit_after)) return kCritical;
  return state == kOk && longer(limits.warn_after) ? kWarning : state;
}

std::string first_line(const Ending& e, const RunLimits& limits) {
  std::string out = what_ended(e);
  if (e.started()) out += " after " + elapsed(e.wall);
  if (e.tries > 1) out += fmt::format(", {} tries", e.tries);
  for (Duration than : {limits.crit_after, limits.warn_after}) {
    if (than == Duration{} || e.wall <= than) continue;
    return out + ", longer than " + format_duration(than);
  }
  return out;
}

std::string perfdata_of(const Ending& e, const RunLimits& limits) {
  if (!e.started()) return {};
  std::string bounds;
  if (limits.warn_after > Duration{} || limits.crit_after > Duration{})
    bounds = fmt::format(";{};{}", limit(limits.warn_after), limit(limits.crit_after));
  return fmt::format("time={}s{} cpu={}s rss={}B", seconds(e.wall), bounds, seconds(e.cpu), e.rss);
}

}  // namespace checkrelay
