#include "agent/config/outages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/base/text.h"
#include "agent/config/value.h"

namespace checkrelay {
namespace {

using Kind = OptionKind;

constexpr std::array<std::string_view, 2> kOthers{"name", "type"};

constexpr std::array kReading{
    OptionRow{.name = "effect",
              .kind = Kind::choice,
              .fallback = "mark",
              .doc = "what a window does to results whose time lies in it",
              .choices = "mark|hold|pass"},
    OptionRow{.name = "zone", .doc = "the time zone of civil times; default: this system's"},
    OptionRow{.name = "service",
              .fallback = "{element}",
              .doc = "how a service is called after its element"},
};

constexpr std::array kRemote{
    OptionRow{.name = "refresh",
              .kind = Kind::duration,
              .fallback = "60s",
              .doc = "how often the list is asked for"},
    OptionRow{.name = "max_stale",
              .kind = Kind::duration,
              .fallback = "24h",
              .doc = "how long the last list counts while the API is away"},
};

constexpr std::array kLocal{
    OptionRow{.name = "nodes", .kind = Kind::list, .doc = "hosts, with all their services"},
    OptionRow{.name = "elements",
              .kind = Kind::list,
              .doc = "single services: node:name, node:regex:…, node:iregex:…"},
    OptionRow{.name = "frequency",
              .kind = Kind::choice,
              .fallback = "once",
              .doc = "how often it comes",
              .choices = "once|daily|weekly|monthly"},
    OptionRow{.name = "start",
              .doc = "once: a date with time; daily 22:00; weekly Friday 22:00; monthly -1 22:00",
              .required = true},
    OptionRow{.name = "end", .doc = "likewise; 24:00 ends a day", .required = true},
    OptionRow{.name = "description", .doc = "what outputs are marked with"},
    OptionRow{.name = "change_id", .doc = "a ticket, for the mark"},
};

void add(std::vector<OptionRow>& out, std::span<const OptionRow> rows) {
  for (const OptionRow& row : rows) {
    const bool there =
        std::any_of(out.begin(), out.end(), [&](const OptionRow& r) { return r.name == row.name; });
    if (!there) out.push_back(row);
  }
}

Result<void> check_local(const OutagesConfig& config, const OutageReading& reading) {
  auto outage = local_outage(config);
  if (!outage) return tl::unexpected(outage.error());
  if (outage->nodes.empty() && outage->elements.empty())
    return fail(Errc::invalid, "nodes or elements: one of them is needed");
  std::vector<std::string> complaints;
  (void)OutageBook({*outage}, reading, &complaints);
  if (complaints.empty()) return {};
  const std::string prefix = "outage " + quoted(outage->id) + ": ";
  std::string_view what = complaints.front();
  if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
  return fail(Errc::invalid, std::string(what));
}

// What no single row can know.
Result<void> check_whole(const OutagesConfig& config, const Registry& registry) {
  auto reading = outage_reading(config.options);
  if (!reading) return tl::unexpected(reading.error());
  if (config.type == kLocalOutages) return check_local(config, *reading);
  for (std::string_view key : {"refresh", "timeout"})
    if (config.options.duration(key).count() == 0)
      return fail(Errc::invalid, std::string(key) + ": must not be zero");
  auto built = registry.dialect(config.type)->outage_source(config.options);
  if (!built) return tl::unexpected(built.error());
  return {};
}

class OutagesReader {
 public:
  OutagesReader(Reader& reader, const Registry& registry,
                const std::vector<DestinationConfig>& destinations)
      : reader_(reader), registry_(registry), destinations_(destinations) {}
  void table(const Node& table);
  std::vector<OutagesConfig> take() { return std::move(outages_); }

 private:
  std::string name(const Node& table);
  std::string type(const Node& table, const std::string& where);

  Reader& reader_;
  const Registry& registry_;
  const std::vector<DestinationConfig>& destinations_;
  std::vector<OutagesConfig> outages_;
};

std::string OutagesReader::name(const Node& table) {
  std::string name = reader_.required_text(table, "outages", "name");
  auto taken = [&](const auto& others) {
    return !name.empty() && std::any_of(others.begin(), others.end(),
                                        [&](const auto& other) { return other.name == name; });
  };
  const char* whose = taken(outages_)        ? " is the name of other outages"
                      : taken(destinations_) ? " is the name of a destination"
                                             : nullptr;
  if (whose) reader_.fault(table.find("name")->line, "outages.name", quoted(name) + whose);
  return name;
}

std::string OutagesReader::type(const Node& table, const std::string& where) {
  std::string type = reader_.required_text(table, where, "type");
  if (type.empty()) return type;
  std::vector<std::string_view> known{kLocalOutages};
  for (const Dialect* d : registry_.dialects)
    if (d->is_outage_source()) known.push_back(d->name());
  auto word = check_word(type, known);
  if (word) return type;
  reader_.fault(table.find("type")->line, dotted(where, "type"), word.error().what);
  return "";
}

void OutagesReader::table(const Node& table) {
  OutagesConfig out{.name = name(table)};
  const std::string where = out.name.empty() ? "outages" : dotted("outages", out.name);
  out.type = type(table, where);
  if (out.type.empty()) return;
  const std::size_t before = reader_.fault_count();
  const std::vector<OptionRow> rows = rows_of_outages(out.type, registry_);
  reader_.options(table, where, rows, kOthers, out.options);
  reader_.fallbacks(table, where, rows, out.options);
  if (reader_.fault_count() == before)
    if (auto good = check_whole(out, registry_); !good)
      reader_.fault(table.line, where, good.error().what);
  outages_.push_back(std::move(out));
}

}  // namespace

std::vector<OptionRow> rows_of_outages(std::string_view type, const Registry& registry) {
  std::vector<OptionRow> rows;
  if (type == kLocalOutages) {
    add(rows, kLocal);
    add(rows, kReading);
    return rows;
  }
  const Dialect* dialect = registry.dialect(type);
  if (!dialect) return rows;
  add(rows, dialect->outage_options());
  add(rows, kRemote);
  add(rows, kReading);
  if (const CarrierKind* carrier = registry.carrier(Framing::http)) add(rows, carrier->options);
  return rows;
}

Result<OutageReading> outage_reading(const Options& options) {
  OutageReading reading;
  auto zone = Zone::find(options.text("zone"));
  if (!zone) return fail(Errc::invalid, "zone: " + zone.error().what);
  reading.zone = *zone;
  reading.effect = parse_outage_effect(options.text("effect"));
  reading.service_template = options.text("service");
  if (!is_service_template(reading.service_template))
    return fail(Errc::invalid,
                "service: " + quoted(reading.service_template) + " has not one {element} in it");
  return reading;
}

Result<PlannedOutage> local_outage(const OutagesConfig& config) {
  PlannedOutage o;
  o.id = config.name;
  o.change_id = config.options.text("change_id");
  o.description = config.options.text("description");
  o.frequency = config.options.text("frequency");
  o.start = config.options.text("start");
  o.end = config.options.text("end");
  o.nodes = config.options.list("nodes");
  for (const std::string& text : config.options.list("elements")) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0)
      return fail(Errc::invalid, "elements: " + quoted(text) + " is not node:element");
    o.elements.push_back({text.substr(0, colon), text.substr(colon + 1)});
  }
  return o;
}

std::vector<OutagesConfig> read_outages(Reader& reader, const Node& root, const Registry& registry,
                                        const std::vector<DestinationConfig>& destinations) {
  OutagesReader outages(reader, registry, destinations);
  if (const Node* list = root.find("outages"))
    for (const Node& table : reader.tables(*list)) outages.table(table);
  return outages.take();
}

}  // namespace checkrelay
