#include "agent/config/heartbeat.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace checkrelay {
namespace {

using Kind = OptionKind;

constexpr std::array kRows{
    OptionRow{.name = "service",
              .fallback = "checkrelay",
              .doc = "what the agent's own service is called"},
    OptionRow{.name = "host", .doc = "whose service it is; default: agent.hostname"},
    OptionRow{
        .name = "every", .kind = Kind::duration, .fallback = "60s", .doc = "how often it is sent"},
    OptionRow{.name = "warn_pending",
              .kind = Kind::integer,
              .fallback = "0",
              .doc = "WARNING from so many results that wait on; 0 = off, here and below"},
    OptionRow{
        .name = "crit_pending", .kind = Kind::integer, .fallback = "0", .doc = "CRITICAL likewise"},
    OptionRow{.name = "warn_oldest",
              .kind = Kind::duration,
              .fallback = "15m",
              .doc = "how long the oldest waits; what planned outages hold does not count"},
    OptionRow{.name = "crit_oldest", .kind = Kind::duration, .fallback = "4h"},
    OptionRow{.name = "warn_dead", .kind = Kind::integer, .fallback = "1", .doc = "dead letters"},
    OptionRow{.name = "crit_dead", .kind = Kind::integer, .fallback = "0"},
    OptionRow{
        .name = "warn_trouble",
        .kind = Kind::duration,
        .fallback = "5m",
        .doc = "how long a destination is in trouble or paused; auth and config warn at once"},
    OptionRow{.name = "crit_trouble", .kind = Kind::duration, .fallback = "1h"},
    OptionRow{.name = "warn_journal",
              .kind = Kind::integer,
              .fallback = "80",
              .doc = "percent of limits.max_queue; a journal that takes nothing is CRITICAL anyway",
              .high = 100},
    OptionRow{.name = "crit_journal", .kind = Kind::integer, .fallback = "95", .high = 100},
};

constexpr Duration kShortest = std::chrono::milliseconds(100);
constexpr std::array<std::string_view, 5> kThresholds{"pending", "oldest", "dead", "trouble",
                                                      "journal"};

class Sense {
 public:
  Sense(Reader& reader, const Node& table, const Options& options)
      : reader_(reader), table_(table), options_(options) {}
  void name(std::string_view key);
  void beat();
  void threshold(std::string_view what);

 private:
  void fault(const std::string& key, std::string what);
  Reader& reader_;
  const Node& table_;
  const Options& options_;
};

void Sense::fault(const std::string& key, std::string what) {
  const Node* item = table_.find(key);
  reader_.fault(item ? item->line : table_.line, dotted("heartbeat", key), std::move(what));
}

void Sense::name(std::string_view key) {
  const std::string text = options_.text(key);
  if (text.empty()) return fault(std::string(key), "must not be empty");
  if (auto ok = check_name(key, text); !ok) fault(std::string(key), ok.error().what);
}

void Sense::beat() {
  const Duration every = options_.duration("every");
  if (every == Duration{}) return fault("every", "must not be zero");
  if (every < kShortest) fault("every", "must not be less than " + format_duration(kShortest));
}

void Sense::threshold(std::string_view what) {
  const std::string warn = fmt::format("warn_{}", what);
  const std::string crit = fmt::format("crit_{}", what);
  auto below = [](auto small, auto big) { return small != decltype(small){} && small < big; };
  if (!below(options_.integer(crit), options_.integer(warn)) &&
      !below(options_.duration(crit), options_.duration(warn)))
    return;
  const std::string& mine = table_.find(crit) ? crit : warn;
  fault(mine, fmt::format("{} must not be less than {}", crit, warn));
}

Threshold<std::uint64_t> numbers(const Options& o, std::string_view what) {
  return {static_cast<std::uint64_t>(o.integer(fmt::format("warn_{}", what))),
          static_cast<std::uint64_t>(o.integer(fmt::format("crit_{}", what)))};
}

Threshold<Duration> durations(const Options& o, std::string_view what) {
  return {o.duration(fmt::format("warn_{}", what)), o.duration(fmt::format("crit_{}", what))};
}

}  // namespace

std::span<const OptionRow> heartbeat_rows() { return kRows; }

std::optional<Options> read_heartbeat(Reader& reader, const Node& root, const Options& agent) {
  if (!root.find("heartbeat")) return std::nullopt;
  const Node* table = reader.table(root, "heartbeat");
  Options out;
  const std::size_t before = reader.fault_count();
  reader.options(*table, "heartbeat", kRows, {}, out);
  reader.fallbacks(*table, "heartbeat", kRows, out);
  if (!table->find("host")) out.set("host", agent.text("hostname"));
  if (reader.fault_count() != before) return out;
  Sense sense(reader, *table, out);
  if (table->find("host")) sense.name("host");
  sense.name("service");
  sense.beat();
  for (std::string_view what : kThresholds) sense.threshold(what);
  return out;
}

HeartbeatOptions heartbeat_options(const Options& o, const Options& limits) {
  HeartbeatOptions out;
  out.subject = {o.text("host"), o.text("service")};
  out.every = o.duration("every");
  out.pending = numbers(o, "pending");
  out.oldest = durations(o, "oldest");
  out.dead = numbers(o, "dead");
  out.trouble = durations(o, "trouble");
  const auto most = static_cast<std::uint64_t>(limits.integer("max_queue"));
  const Threshold<std::uint64_t> percent = numbers(o, "journal");
  out.journal = {most / 100 * percent.warn, most / 100 * percent.crit};
  out.journal_most = most;
  return out;
}

}  // namespace checkrelay
