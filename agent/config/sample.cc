// The annotated default configuration. Lines that are commented out show the default or an example.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "agent/base/text.h"
#include "agent/config/checks.h"
#include "agent/config/config.h"
#include "agent/config/destinations.h"
#include "agent/config/freshness.h"
#include "agent/config/heartbeat.h"
#include "agent/config/outages.h"

namespace checkrelay {
namespace {

constexpr std::string_view kHead =
    R"(# checkrelay: every option with its default. What is commented out shows the default, or an example where there
# is none. Durations are written "250ms", "90s", "24h", "7d"; sizes "64KiB", "4GiB". Each option that is secret may
# be given as NAME_file, a file whose first line it is. `checkrelay check` names every fault with its line.
)";

constexpr std::string_view kDialectNote =
    "# dialects: the languages an intake understands; default native and nagios, for http native "
    "alone.\n";

constexpr std::string_view kUserNote =
    R"(# Users of an http listener, by HTTP basic authentication or with the password as bearer token. None: loopback
# only, and everybody there may hand in results.
# [[intake.user]]
# name = "backup"
# password_file = "/etc/checkrelay/backup.password"
# hosts = ["*"]             # glob patterns of the hosts that this user may speak for
)";

constexpr std::string_view kRouteNote =
    R"(# Routes: none = every result goes to every destination. A result goes to the destinations of each route that matches.
# [[route]]
# host = "db*"
# service = "*"             # "*" matches host checks too
# destinations = ["central"]
)";

constexpr std::string_view kCheckNote =
    R"(# Local checks: plugins, by the Nagios plugin guidelines, that the agent runs by itself. No service: a host check.
# [[check]]
# service = "Disk"
# host: default agent.hostname
# command = ["/usr/lib/nagios/plugins/check_disk", "-w", "10%"]  # no shell; an absolute path, or a name for PATH
# every = "60s"
#   or by the calendar: schedule = "0 3 * * 1-5" (cron, or systemd's OnCalendar), timezone = "Europe/Stockholm"
)";

bool is_quoted(OptionKind kind) {
  return kind != OptionKind::boolean && kind != OptionKind::integer && kind != OptionKind::number;
}

std::string written(const OptionRow& row, std::string_view value) {
  if (row.kind == OptionKind::list) {
    std::string out;
    for (std::string_view piece : split(value, ',')) {
      if (trimmed(piece).empty()) continue;
      out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", trimmed(piece));
    }
    return fmt::format("[{}]", out);
  }
  return is_quoted(row.kind) ? fmt::format("\"{}\"", value) : std::string(value);
}

// For rows without a default: something that shows the shape and is read without a fault.
std::string example(const OptionRow& row) {
  if (row.name == "listen") return "127.0.0.1:8440";
  if (row.name == "zone") return "Europe/Stockholm";
  if (row.name == "proxy") return "http://proxy.example.com:3128";
  if (row.kind == OptionKind::path && row.name != "path") {
    return fmt::format("/etc/checkrelay/{}.pem", row.name);
  }
  switch (row.kind) {
    case OptionKind::url:
      return "https://monitor.example.com";
    case OptionKind::path:
      return "/var/lib/checkrelay/results.ndjson";
    case OptionKind::boolean:
      return "false";
    case OptionKind::integer:
    case OptionKind::number:
      return "1";
    case OptionKind::duration:
      return "30s";
    case OptionKind::size:
      return "1MiB";
    case OptionKind::mode:
      return "0660";
    case OptionKind::choice:
      return std::string(split(row.choices, '|').front());
    default:
      return "";
  }
}

class Sample {
 public:
  explicit Sample(const Registry& registry) : registry_(registry) {}
  std::string text();

 private:
  void line(const OptionRow& row, std::optional<std::string_view> value, bool active);
  void section(std::string_view name, std::span<const OptionRow> rows);
  void intake(const IntakeKind& kind);
  void destination(const Dialect& dialect, bool active);
  void outages(std::string_view type, std::string_view summary);
  void heartbeat();
  void checks();
  void freshness();
  [[nodiscard]] const Dialect* default_destination() const;

  const Registry& registry_;
  std::string out_;
};

void Sample::line(const OptionRow& row, std::optional<std::string_view> value, bool active) {
  std::string assignment = fmt::format("{}{} = {}", active ? "" : "# ", row.name,
                                       written(row, value                  ? *value
                                                    : row.fallback.empty() ? example(row)
                                                                           : row.fallback));
  std::string doc(row.doc);
  if (!row.choices.empty()) {
    std::string words(row.choices);
    std::replace(words.begin(), words.end(), '|', ' ');
    doc += fmt::format("{}one of {}", doc.empty() ? "" : "; ", words);
  }
  if (row.required) doc += doc.empty() ? "required" : "; required";
  out_ += doc.empty() ? assignment + "\n" : fmt::format("{:<36} # {}\n", assignment, doc);
}

void Sample::section(std::string_view name, std::span<const OptionRow> rows) {
  out_ += fmt::format("\n[{}]\n", name);
  for (const OptionRow& row : rows) {
    bool socket = row.name == "socket";
    line(row, socket ? std::optional<std::string_view>(ClientConfig{}.socket) : std::nullopt,
         socket || !row.fallback.empty());
  }
}

void Sample::intake(const IntakeKind& kind) {
  bool active = kind.name == "spool";
  out_ += fmt::format("\n# {}: {}\n{}[[intake]]\n{}type = \"{}\"\n", kind.name, kind.summary,
                      active ? "" : "# ", active ? "" : "# ", kind.name);
  for (const OptionRow& row : kind.options) {
    bool path = row.name == "path";
    std::string place = fmt::format("/run/checkrelay/{}", kind.name);
    std::string_view value = active ? "/var/spool/checkrelay" : std::string_view(place);
    line(row, path ? std::optional(value) : std::nullopt, active && (path || row.required));
  }
}

void Sample::destination(const Dialect& dialect, bool active) {
  std::string_view mark = active ? "" : "# ";
  out_ += fmt::format("\n# {}: {}\n{}[[destination]]\n{}name = \"{}\"\n{}type = \"{}\"\n",
                      dialect.name(), dialect.summary(), mark, mark, dialect.name(), mark,
                      dialect.name());
  std::vector<TraitDefault> traits = trait_defaults(*dialect.traits());
  for (const OptionRow& row : rows_of_destination(dialect, registry_)) {
    auto d = std::find_if(traits.begin(), traits.end(),
                          [&](const TraitDefault& t) { return t.row == row.name; });
    line(row, d == traits.end() ? std::nullopt : std::optional<std::string_view>(d->text),
         active && row.required);
  }
}

void Sample::outages(std::string_view type, std::string_view summary) {
  out_ += fmt::format("\n# {}: {}\n# [[outages]]\n# name = \"{}\"\n# type = \"{}\"\n", type,
                      summary, type == kLocalOutages ? "weekend" : "nmis", type);
  for (const OptionRow& row : rows_of_outages(type, registry_)) {
    std::optional<std::string_view> value;
    if (row.name == "nodes") value = "db1";
    if (row.name == "start") value = "2026-03-01T22:00:00+01:00";
    if (row.name == "end") value = "2026-03-02T06:00:00+01:00";
    line(row, value, false);
  }
}

void Sample::heartbeat() {
  out_ += "\n# [heartbeat]\n";
  for (const OptionRow& row : heartbeat_rows())
    line(row, row.name == "host" ? std::optional<std::string_view>("edge1") : std::nullopt, false);
}

void Sample::checks() {
  out_ += "\n";
  out_ += kCheckNote;
  for (const OptionRow& row : check_rows()) {
    if (row.name == "every" || row.name == "schedule" || row.name == "timezone") continue;
    std::optional<std::string_view> value;
    if (row.name == "spread") value = "60s";
    if (row.name == "environment") value = "LC_ALL=C";
    if (row.name == "user") value = "nobody";
    line(row, value, false);
  }
}

void Sample::freshness() {
  out_ += "\n# Freshness: the result that did not come. Who is to report, and how often.\n";
  out_ += "# [[freshness]]\n";
  for (const OptionRow& row : freshness_rows()) {
    std::optional<std::string_view> value;
    if (row.name == "every") value = "24h";
    if (row.name == "schedule") value = "0 3 * * 1-5";
    if (row.name == "timezone") value = "Europe/Stockholm";
    if (row.name == "settle") value = "5m";
    if (row.name == "expect") value = "Backup";
    if (row.name == "group") value = "site-7";
    line(row, value, false);
  }
}

// One that needs nothing but a disk.
const Dialect* Sample::default_destination() const {
  const Dialect* file = registry_.dialect("file");
  return file && file->traits() ? file : registry_.dialect("discard");
}

std::string Sample::text() {
  out_ = kHead;
  section("agent", agent_rows());
  section("limits", limits_rows());
  section("log", log_rows());
  out_ += "\n# Ways in.\n";
  out_ += kDialectNote;
  for (const IntakeKind& kind : registry_.intakes) {
    intake(kind);
    if (kind.name == "http") out_ += kUserNote;
  }
  out_ += "\n# Ways out.\n";
  for (const Dialect* dialect : registry_.dialects) {
    if (dialect->traits()) destination(*dialect, dialect == default_destination());
  }
  out_ += "\n";
  out_ += kRouteNote;
  out_ += "\n# Planned outages: what happens to results whose own time lies in one.\n";
  for (const Dialect* dialect : registry_.dialects)
    if (dialect->is_outage_source()) outages(dialect->name(), dialect->summary());
  outages(kLocalOutages, "one that is written down here");
  out_ +=
      "\n# The agent's own service, sent to every destination ahead of everything else. Without "
      "this "
      "section there is none.";
  heartbeat();
  checks();
  freshness();
  return out_;
}

}  // namespace

std::string default_config(const Registry& registry) { return Sample(registry).text(); }

}  // namespace checkrelay
