#include "agent/config/destinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/base/text.h"
#include "agent/config/value.h"

namespace checkrelay {
namespace {

constexpr std::array<std::string_view, 2> kOthers{"name", "type"};
constexpr std::size_t kMaxDestinationName = 64;  // bytes; it labels metrics and table columns

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

Result<void> check_destination_name(std::string_view name) {
  if (name.size() <= kMaxDestinationName && std::all_of(name.begin(), name.end(), name_char)) {
    return {};
  }
  return fail(Errc::invalid, quoted(name) + " is not up to 64 letters, digits, '.', '_' and '-'");
}

class DestinationReader {
 public:
  DestinationReader(Reader& reader, const Registry& registry)
      : reader_(reader), registry_(registry) {}
  void table(const Node& table);
  std::vector<DestinationConfig> take() { return std::move(destinations_); }

 private:
  std::string name(const Node& table);
  const Dialect* dialect(const Node& table, const std::string& where);
  void defaults(const OutboundTraits& traits, std::span<const OptionRow> rows, Options& out);
  void sense(const Node& table, const std::string& where, const OutboundTraits& traits,
             const Options& options);

  Reader& reader_;
  const Registry& registry_;
  std::vector<DestinationConfig> destinations_;
};

std::string DestinationReader::name(const Node& table) {
  std::string name = reader_.required_text(table, "destination", "name");
  if (name.empty()) return name;
  int line = table.find("name")->line;
  if (auto good = check_destination_name(name); !good) {
    reader_.fault(line, "destination.name", good.error().what);
  }
  for (const DestinationConfig& other : destinations_) {
    if (other.name == name) {
      reader_.fault(line, "destination.name", quoted(name) + " is the name of another destination");
    }
  }
  return name;
}

const Dialect* DestinationReader::dialect(const Node& table, const std::string& where) {
  std::string type = reader_.required_text(table, where, "type");
  if (type.empty()) return nullptr;
  std::vector<std::string_view> known;
  for (const Dialect* d : registry_.dialects) {
    if (d->traits()) known.push_back(d->name());
  }
  if (auto word = check_word(type, known); !word) {
    reader_.fault(table.find("type")->line, dotted(where, "type"), word.error().what);
    return nullptr;
  }
  return registry_.dialect(type);
}

void DestinationReader::defaults(const OutboundTraits& traits, std::span<const OptionRow> rows,
                                 Options& out) {
  for (const TraitDefault& d : trait_defaults(traits)) {
    auto row =
        std::find_if(rows.begin(), rows.end(), [&](const OptionRow& r) { return r.name == d.row; });
    if (out.has(d.row) || row == rows.end()) continue;
    if (auto value = read_value(*row, d.text)) out.set(d.row, std::move(*value));
  }
}

// What no single row can know.
void DestinationReader::sense(const Node& table, const std::string& where,
                              const OutboundTraits& traits, const Options& options) {
  auto line_of = [&](std::string_view key) {
    const Node* item = table.find(key);
    return item ? item->line : table.line;
  };
  if (options.duration("retry_min") > options.duration("retry_max")) {
    reader_.fault(line_of(table.find("retry_min") ? "retry_min" : "retry_max"),
                  dotted(where, "retry_min"), "must not be more than retry_max");
  }
  if (!traits.takes_times && options.text("drain") == "fresh_first") {
    reader_.fault(
        line_of("drain"), dotted(where, "drain"),
        "\"fresh_first\" is for upstreams that take the time of a result; this one stamps "
        "results on arrival, so that an old one would look like the newest");
  }
  for (std::string_view key : {"retry_min", "timeout"}) {
    if (options.has(key) && options.duration(key).count() == 0) {
      reader_.fault(line_of(key), dotted(where, key), "must not be zero");
    }
  }
}

void DestinationReader::table(const Node& table) {
  DestinationConfig out{.name = name(table)};
  std::string where = out.name.empty() ? "destination" : dotted("destination", out.name);
  const Dialect* system = dialect(table, where);
  // Kept even so: a route that names it is not wrong.
  if (!system) return destinations_.push_back(std::move(out));
  std::size_t before = reader_.fault_count();
  std::vector<OptionRow> rows = rows_of_destination(*system, registry_);
  out.type = system->name();
  out.options.set("name", out.name);
  reader_.options(table, where, rows, kOthers, out.options);
  defaults(*system->traits(), rows, out.options);
  reader_.fallbacks(table, where, rows, out.options);
  sense(table, where, *system->traits(), out.options);
  if (reader_.fault_count() == before) {
    if (auto built = system->outbound(out.options); !built) {
      reader_.fault(table.line, where, built.error().what);
    }
  }
  destinations_.push_back(std::move(out));
}

}  // namespace

std::vector<OptionRow> rows_of_destination(const Dialect& dialect, const Registry& registry) {
  std::vector<OptionRow> out;
  auto add = [&](std::span<const OptionRow> rows) {
    for (const OptionRow& row : rows) {
      bool there = std::any_of(out.begin(), out.end(),
                               [&](const OptionRow& r) { return r.name == row.name; });
      if (!there) out.push_back(row);
    }
  };
  add(dialect.options());
  auto traits = dialect.traits();
  const CarrierKind* carrier = traits ? registry.carrier(traits->framing) : nullptr;
  if (carrier) add(carrier->options);
  add(destination_rows());
  return out;
}

std::vector<TraitDefault> trait_defaults(const OutboundTraits& traits) {
  return {{"backlog", std::string(traits.backlog)},
          {"batch_max", fmt::format("{}", traits.batch_max)},
          {"max_in_flight", fmt::format("{}", traits.max_in_flight)},
          {"rate", fmt::format("{}", traits.rate)},
          {"spread", traits.framing == Framing::http ? "30s" : "0s"},  // others reach one file each
          {"timeout", format_duration(traits.timeout)}};
}

std::vector<DestinationConfig> read_destinations(Reader& reader, const Node& root,
                                                 const Registry& registry) {
  DestinationReader destinations(reader, registry);
  const Node* list = root.find("destination");
  if (list) {
    for (const Node& table : reader.tables(*list)) destinations.table(table);
  } else {
    reader.fault(0, "destination", "there is none: add a [[destination]] for results to go to");
  }
  return destinations.take();
}

}  // namespace checkrelay
