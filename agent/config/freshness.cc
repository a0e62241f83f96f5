#include "agent/config/freshness.h"

#include <fmt/format.h>

#include <array>

#include "agent/base/text.h"
#include "agent/config/value.h"
#include "agent/policy/freshness_faults.h"
#include "agent/policy/freshness_text.h"

namespace checkrelay {
namespace {

using Kind = OptionKind;

constexpr std::array kRows{
    OptionRow{.name = "host", .fallback = "*", .doc = "whose: a glob pattern"},
    OptionRow{.name = "service",
              .fallback = "*",
              .doc = "likewise; \"*\" matches host checks too, \"\" them alone"},
    OptionRow{.name = "every",
              .kind = Kind::duration,
              .doc = "a report is due so long after the one before it"},
    OptionRow{
        .name = "schedule",
        .doc = "or by the calendar: cron (\"0 3 * * 1-5\"), or OnCalendar (\"Mon..Fri 03:00\")"},
    OptionRow{.name = "timezone", .doc = "of the schedule; default: this system's"},
    OptionRow{.name = "grace",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "how long after the due time it may come"},
    OptionRow{.name = "early",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "with schedule: how long before the due time a report counts for it"},
    OptionRow{
        .name = "state", .fallback = "CRITICAL", .doc = "what an overdue subject is reported as"},
    OptionRow{.name = "output",
              .fallback = "no result since {last}",
              .doc = "its output, with {last} {due} {age} {schedule}"},
    OptionRow{.name = "repeat",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "reported again so often while overdue; 0s = once"},
    OptionRow{.name = "run_limit",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "how long a run that was announced may take; 0s = any time"},
    OptionRow{
        .name = "settle",
        .kind = Kind::duration,
        .doc =
            "after a start nothing is overdue for so long; default: as long as grace, at most 5m"},
    OptionRow{.name = "expect",
              .kind = Kind::list,
              .doc = "services that must report although they never did"},
    OptionRow{
        .name = "group",
        .doc = "all its subjects silent at once is one result, for this service of this agent"},
};

// The line of the key, or of its table where the key is not there.
int line_of(const Node& table, std::string_view key) {
  const Node* item = table.find(key);
  return item ? item->line : table.line;
}

class FreshnessReader {
 public:
  explicit FreshnessReader(Reader& reader) : reader_(reader) {}
  void table(const Node& table);
  std::vector<FreshnessConfig> take(Wall now);

 private:
  void check(const Node& table, std::string_view key, const Result<void>& good);
  void check_texts(const Node& table, const Options& options);

  Reader& reader_;
  std::vector<FreshnessConfig> configs_;
  std::vector<FreshnessEntry> entries_;
  std::vector<const Node*> tables_;  // of the entries
};

void FreshnessReader::check(const Node& table, std::string_view key, const Result<void>& good) {
  if (!good) reader_.fault(line_of(table, key), dotted("freshness", key), good.error().what);
}

Result<void> check_state(const std::string& state) {
  if (parse_state(state, false) || parse_state(state, true)) return {};
  return fail(Errc::invalid, quoted(state) + " is no state of a service or a host");
}

void FreshnessReader::check_texts(const Node& table, const Options& options) {
  check(table, "state", check_state(options.text("state")));
  check(table, "output", check_output(options.text("output")));
  if (!options.text("group").empty())
    check(table, "group", check_name("group", options.text("group")));
  for (const std::string& service : options.list("expect"))
    check(table, "expect", check_name("service", service));
}

void FreshnessReader::table(const Node& table) {
  FreshnessConfig out;
  const std::size_t before = reader_.fault_count();
  reader_.options(table, "freshness", kRows, {}, out.options);
  reader_.fallbacks(table, "freshness", kRows, out.options);
  check_texts(table, out.options);
  if (reader_.fault_count() == before) {
    if (auto entry = freshness_entry(out)) {
      entries_.push_back(std::move(*entry));
      tables_.push_back(&table);
    } else {
      const std::string& what = entry.error().what;
      const std::size_t colon = what.find(": ");
      check(table, what.substr(0, colon), fail(Errc::invalid, what.substr(colon + 2)));
    }
  }
  configs_.push_back(std::move(out));
}

// Faults say "key: what is wrong", or what is wrong with the table.
std::vector<FreshnessConfig> FreshnessReader::take(Wall now) {
  for (const FreshnessFault& fault : find_faults(entries_, now)) {
    const Node& table = *tables_[fault.entry];
    const std::size_t colon = fault.what.find(": ");
    const std::string key = colon == std::string::npos ? "" : fault.what.substr(0, colon);
    std::string other;
    if (fault.other < tables_.size()) other = fmt::format(" (line {})", tables_[fault.other]->line);
    if (fault.by_time) {
      reader_.warning(line_of(table, key), dotted("freshness", key), fault.what.substr(colon + 2));
    } else if (key.empty() || key.find(' ') != std::string::npos) {
      reader_.fault(table.line, "freshness", fault.what);
    } else {
      reader_.fault(line_of(table, key), dotted("freshness", key),
                    fault.what.substr(colon + 2) + other);
    }
  }
  return std::move(configs_);
}

Result<Schedule> schedule_of(const Options& options) {
  auto schedule = Schedule::parse(options.text("schedule"));
  if (!schedule) return fail(Errc::invalid, "schedule: " + schedule.error().what);
  return schedule;
}

}  // namespace

std::span<const OptionRow> freshness_rows() { return kRows; }

Result<FreshnessEntry> freshness_entry(const FreshnessConfig& config) {
  const Options& o = config.options;
  FreshnessEntry entry;
  entry.host = o.text("host");
  entry.service = o.text("service");
  entry.expect = o.list("expect");
  entry.group = o.text("group");
  Promise& promise = entry.promise;
  promise.every = o.duration("every");
  promise.grace = o.duration("grace");
  promise.early = o.duration("early");
  promise.repeat = o.duration("repeat");
  promise.run_limit = o.duration("run_limit");
  if (o.has("settle")) promise.settle = o.duration("settle");
  auto zone = Zone::find(o.text("timezone"));
  if (!zone) return fail(Errc::invalid, "timezone: " + zone.error().what);
  promise.zone = *zone;
  if (!o.has("schedule")) return entry;
  auto schedule = schedule_of(o);
  if (!schedule) return tl::unexpected(schedule.error());
  promise.schedule = std::move(*schedule);
  return entry;
}

State overdue_state(std::string_view state, bool host) {
  if (auto own = parse_state(state, host)) return *own;
  const State other = parse_state(state, !host).value_or(2);
  if (host) return other == 0 ? 0 : other == 3 ? 2 : 1;
  return other == 0 ? 0 : other == 1 ? 2 : 3;
}

std::vector<FreshnessConfig> read_freshness(Reader& reader, const Node& root, Wall now) {
  FreshnessReader freshness(reader);
  if (const Node* list = root.find("freshness"))
    for (const Node& table : reader.tables(*list)) freshness.table(table);
  return freshness.take(now);
}

}  // namespace checkrelay
