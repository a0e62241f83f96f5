#include "agent/policy/heartbeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/base/text.h"
#include "agent/policy/freshness_text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMostTold = 5;      // destinations
constexpr std::size_t kAnswerTold = 120;  // bytes
constexpr State kOk = 0, kWarning = 1, kCritical = 2;

struct Finding {
  State state = kOk;
  std::string text{};
};

// FNV-1a, which is the same everywhere and at every start.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

// Foreign words on one line, in which nothing ends an output or begins its perfdata.
std::string tame(std::string_view text) {
  std::string out(utf8_prefix(text, kAnswerTold));
  make_valid_utf8(out);
  for (char& c : out)
    if (c == '|') {
      c = '/';
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = ' ';
    }
  return out.size() < text.size() ? out + "…" : out;
}

State judge(const Vitals::Destination& d, const Threshold<Duration>& trouble) {
  if (!d.lasting) return kOk;
  const bool somebody_must = d.will_not_heal && trouble.warn > Duration{};
  return std::max(trouble.judge(*d.lasting), somebody_must ? kWarning : kOk);
}

std::string told(const Vitals::Destination& d) {
  std::string out = fmt::format("destination {}: {}", tame(d.name), d.state);
  if (d.lasting) out += " for " + rough(*d.lasting);
  if (!d.answer.empty()) out += ": " + tame(d.answer);
  return out;
}

void find_destinations(const HeartbeatOptions& o, const Vitals& v, std::vector<Finding>& out) {
  std::vector<Finding> found;
  for (const Vitals::Destination& d : v.destinations)
    if (d.state != "ok") found.push_back({judge(d, o.trouble), told(d)});
  std::stable_sort(found.begin(), found.end(),
                   [](const Finding& a, const Finding& b) { return a.state > b.state; });
  const std::size_t more = found.size() - std::min(found.size(), kMostTold);
  found.resize(found.size() - more);
  if (more > 0) found.push_back({kOk, fmt::format("{} more destinations in trouble", more)});
  std::move(found.begin(), found.end(), std::back_inserter(out));
}

std::vector<Finding> findings(const HeartbeatOptions& o, const Vitals& v) {
  std::vector<Finding> out;
  auto note = [&](State state, std::string text) {
    if (state != kOk) out.push_back({state, std::move(text)});
  };
  note(v.journal_trouble.empty() ? kOk : kCritical,
       "no results are taken: " + tame(v.journal_trouble));
  find_destinations(o, v, out);
  const Duration oldest = v.oldest.value_or(Duration{});
  note(o.oldest.judge(oldest), "the oldest waits for " + rough(oldest));
  note(o.pending.judge(v.pending), "many wait");
  note(o.dead.judge(v.dead), "dead letters");
  note(o.journal.judge(v.journal_bytes), "the journal grows full");
  std::stable_sort(out.begin(), out.end(),
                   [](const Finding& a, const Finding& b) { return a.state > b.state; });
  return out;
}

std::string summary(const Vitals& v, const HeartbeatRates& r) {
  std::string out = fmt::format("{} pending", v.pending);
  if (v.held > 0) out += fmt::format(" (planned outages hold {})", v.held);
  return out + fmt::format(", {} dead, {:.1f}/s in, {:.1f}/s out, journal {}", v.dead, r.ingest,
                           r.delivery, format_size(v.journal_bytes));
}

template <typename T>
std::string limit(T value) {
  return value > T{} ? fmt::format("{}", value) : "";
}
std::string limit(Duration value) {
  return value > Duration{} ? fmt::format("{:.12g}", to_seconds(value)) : "";
}

template <typename T>
std::string metric(std::string_view label, const std::string& value, const Threshold<T>& t,
                   const std::string& most = "") {
  std::string out =
      fmt::format("{}={};{};{};0;{}", label, value, limit(t.warn), limit(t.crit), most);
  out.erase(out.find_last_not_of(';') + 1);
  return out;
}

std::string perfdata(const HeartbeatOptions& o, const Vitals& v, const HeartbeatRates& r) {
  constexpr Threshold<std::uint64_t> kNone{};
  const double oldest = to_seconds(v.oldest.value_or(Duration{}));
  return fmt::format("{} {} {} {} {} {}",
                     metric("pending", fmt::format("{}", v.pending), o.pending),
                     metric("oldest_pending", fmt::format("{:.3f}s", oldest), o.oldest),
                     metric("dead", fmt::format("{}", v.dead), o.dead),
                     metric("ingest_rate", fmt::format("{:.3f}", r.ingest), kNone),
                     metric("delivery_rate", fmt::format("{:.3f}", r.delivery), kNone),
                     metric("journal_bytes", fmt::format("{}B", v.journal_bytes), o.journal,
                            limit(o.journal_most)));
}

}  // namespace

CheckResult heartbeat_result(const HeartbeatOptions& options, const Vitals& vitals,
                             const HeartbeatRates& rates) {
  const std::vector<Finding> found = findings(options, vitals);
  CheckResult r;
  r.subject = options.subject;
  r.state = found.empty() ? kOk : found.front().state;
  r.output = fmt::format("checkrelay {}: ", state_name(r.state, false));
  for (const Finding& f : found) r.output += f.text + " - ";
  r.output += summary(vitals, rates);
  r.perfdata = perfdata(options, vitals, rates);
  r.check_source = "checkrelay";
  return r;
}

Heartbeat::Heartbeat(HeartbeatOptions options, std::uint64_t seed, Instant now)
    : options_(std::move(options)), ids_(seed) {
  anchor(now);
  due_ = now.steady;
}

void Heartbeat::anchor(Instant now) {
  const auto every = options_.every.count();
  const auto phase =
      static_cast<std::int64_t>(hash_of(options_.subject.host) % static_cast<std::uint64_t>(every));
  const auto into = (now.wall.time_since_epoch().count() - phase) % every;
  grid_ = now.steady - Duration(into < 0 ? into + every : into);
}

Steady Heartbeat::next_on_grid(Steady now) const {
  return grid_ + (Duration(now - grid_) / options_.every + 1) * options_.every;
}

void Heartbeat::change(HeartbeatOptions options, Instant now) {
  const bool moves =
      options.every != options_.every || options.subject.host != options_.subject.host;
  options_ = std::move(options);
  if (!moves) return;
  anchor(now);
  due_ = next_on_grid(now.steady);
}

HeartbeatRates Heartbeat::rates(const Vitals& v, Steady now) {
  HeartbeatRates rates;
  const double elapsed = to_seconds(now - std::exchange(last_beat_, now));
  const std::uint64_t in = v.accepted - std::min(v.accepted, std::exchange(accepted_, v.accepted));
  const std::uint64_t out =
      v.delivered - std::min(v.delivered, std::exchange(delivered_, v.delivered));
  if (!last_ || elapsed <= 0) return rates;
  rates.ingest = static_cast<double>(in) / elapsed;
  rates.delivery = static_cast<double>(out) / elapsed;
  return rates;
}

const CheckResult& Heartbeat::beat(const Vitals& vitals, Instant now) {
  CheckResult r = heartbeat_result(options_, vitals, rates(vitals, now.steady));
  r.time = r.received = now.wall;
  r.id = ids_.make(now.wall);
  due_ = next_on_grid(now.steady);
  return last_.emplace(std::move(r));
}

}  // namespace checkrelay
