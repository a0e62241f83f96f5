#include "agent/config/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "agent/base/text.h"
#include "agent/config/checks.h"
#include "agent/config/destinations.h"
#include "agent/config/freshness.h"
#include "agent/config/heartbeat.h"
#include "agent/config/intakes.h"
#include "agent/config/outages.h"
#include "agent/config/reader.h"
#include "agent/config/value.h"

namespace checkrelay {
namespace {

constexpr std::array<std::string_view, 10> kSections{
    "agent", "limits",  "log",       "intake",    "destination",
    "route", "outages", "freshness", "heartbeat", "check"};
constexpr long long kLeastQueue = 1 << 20;  // bytes: an empty journal takes a part of it

// POSIX gethostname(); what a machine without a name is called matters less than that it is called
// something.
std::string system_hostname() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

void read_section(Reader& reader, const Node& root, std::string_view name,
                  std::span<const OptionRow> rows, Options& out) {
  const Node* table = reader.table(root, name);
  reader.options(*table, name, rows, {}, out);
  reader.fallbacks(*table, name, rows, out);
}

void check_sections(Reader& reader, const Node& root) {
  std::vector<std::string_view> known(kSections.begin(), kSections.end());
  for (const Node& item : root.items) {
    if (std::find(known.begin(), known.end(), item.key) == known.end()) {
      bool section = item.kind == Node::Kind::table || item.kind == Node::Kind::array;
      reader.fault(item.line, item.key,
                   (section ? "unknown section" : "unknown key") + suggestion(item.key, known));
    }
  }
}

void check_limits(Reader& reader, const Node& root, const Options& limits) {
  const Node* table = reader.table(root, "limits");
  for (std::string_view name : {"max_result", "max_queue", "max_body", "idle_timeout"}) {
    const Node* item = table->find(name);
    if (item && limits.has(name) && limits.integer(name) == 0 &&
        limits.duration(name).count() == 0) {
      reader.fault(item->line, dotted("limits", name), "must not be zero");
    }
  }
  auto at_least = [&](std::string_view big, std::string_view small) {
    if (limits.integer(big) >= limits.integer(small)) return;
    const Node* item = table->find(big) ? table->find(big) : table->find(small);
    reader.fault(item ? item->line : table->line, dotted("limits", big),
                 fmt::format("must not be less than {}", small));
  };
  at_least("max_queue", "max_result");
  const Node* queue = table->find("max_queue");
  const long long most = limits.integer("max_queue");
  if (queue && most >= limits.integer("max_result") && most < kLeastQueue)
    reader.fault(queue->line, "limits.max_queue", "must not be less than 1MiB");
  at_least("max_body", "max_result");
}

void read_agent(Reader& reader, const Node& root, Options& agent) {
  read_section(reader, root, "agent", agent_rows(), agent);
  if (agent.text("hostname").empty()) agent.set("hostname", system_hostname());
  if (auto name = check_name("hostname", agent.text("hostname")); !name) {
    const Node* item = reader.table(root, "agent")->find("hostname");
    reader.fault(item ? item->line : 0, "agent.hostname", name.error().what);
  }
}

RouteConfig read_route(Reader& reader, const Node& table,
                       const std::vector<DestinationConfig>& destinations) {
  static constexpr std::array kRows{OptionRow{.name = "host", .fallback = "*"},
                                    OptionRow{.name = "service", .fallback = "*"}};
  static constexpr std::array<std::string_view, 1> kOthers{"destinations"};
  Options options;
  reader.options(table, "route", kRows, kOthers, options);
  reader.fallbacks(table, "route", kRows, options);
  RouteConfig route{options.text("host"), options.text("service"), {}};
  const Node* names = table.find("destinations");
  if (!names) {
    reader.fault(table.line, "route.destinations", "is required");
    return route;
  }
  route.destinations = reader.list(*names, "route.destinations");
  std::vector<std::string_view> known;
  for (const DestinationConfig& d : destinations) known.push_back(d.name);
  for (const std::string& name : route.destinations) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    reader.fault(
        names->line, "route.destinations",
        fmt::format("no destination is called {}{}", quoted(name), suggestion(name, known)));
  }
  if (names->items.empty()) reader.fault(names->line, "route.destinations", "is empty");
  return route;
}

void read_document(Reader& reader, const Node& root, const Registry& registry, Config& config) {
  check_sections(reader, root);
  read_agent(reader, root, config.agent);
  read_section(reader, root, "limits", limits_rows(), config.limits);
  check_limits(reader, root, config.limits);
  read_section(reader, root, "log", log_rows(), config.log);
  config.intakes = read_intakes(reader, root, registry, config.agent);
  config.destinations = read_destinations(reader, root, registry);
  if (const Node* routes = root.find("route")) {
    for (const Node& table : reader.tables(*routes)) {
      config.routes.push_back(read_route(reader, table, config.destinations));
    }
  }
  config.outages = read_outages(reader, root, registry, config.destinations);
  config.freshness =
      read_freshness(reader, root, std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  config.heartbeat = read_heartbeat(reader, root, config.agent);
  config.checks = read_checks(reader, root, config.agent.text("hostname"));
}

}  // namespace

std::string to_string(const Fault& fault) {
  std::string where = fault.line > 0 ? fmt::format("{}:{}", fault.file, fault.line) : fault.file;
  return fault.key.empty() ? fmt::format("{}: {}", where, fault.what)
                           : fmt::format("{}: {}: {}", where, fault.key, fault.what);
}

Loaded parse_config(std::string_view text, const std::string& file, const Registry& registry) {
  Loaded out;
  out.config.file = file;
  Reader reader(file, out.faults, &out.warnings);
  Document document = parse_document(text);
  if (!document.error.empty()) {
    reader.fault(document.error_line, "", document.error);
    return out;
  }
  read_document(reader, document.root, registry, out.config);
  for (std::vector<Fault>* faults : {&out.faults, &out.warnings})
    std::stable_sort(faults->begin(), faults->end(),
                     [](const Fault& a, const Fault& b) { return a.line < b.line; });
  return out;
}

Loaded load_config(const std::string& file, const Registry& registry) {
  auto text = read_small_file(file);
  if (text) return parse_config(*text, file, registry);
  Loaded out;
  out.config.file = file;
  out.faults.push_back({file, 0, "", text.error().what});
  return out;
}

}  // namespace checkrelay
