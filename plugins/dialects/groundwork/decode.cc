// The way in: from the body of a batch to check results.
#include <simdjson.h>

#include <array>
#include <pugixml.hpp>
#include <utility>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

// What is read of an item; the rest of what the API knows says nothing of a check.
struct Fields {
  std::string host{}, service{}, status{}, time{}, output{};
  std::optional<std::string> perfdata{};
  std::string fault{};

  std::string* find(std::string_view name) {
    if (name == "hostName") return &host;
    if (name == "description") return &service;
    if (name == "monitorStatus") return &status;
    if (name == "lastCheckTime") return &time;
    return nullptr;
  }
  void property(std::string_view name, std::string value) {
    if (name == "LastPluginOutput") output = std::move(value);
    if (name == "PerformanceData") perfdata = std::move(value);
  }
  [[nodiscard]] std::size_t bytes() const {
    return host.size() + service.size() + output.size() + (perfdata ? perfdata->size() : 0);
  }
};

struct StatusName {
  std::string_view name;
  State host;
  State service;
};
constexpr State kNot = 9;
constexpr std::array<StatusName, 10> kStatusNames{{
    {"UP", 0, kNot},
    {"DOWN", 1, kNot},
    {"UNREACHABLE", 2, kNot},
    {"SCHEDULED DOWN", 1, kNot},
    {"UNSCHEDULED DOWN", 1, kNot},
    {"OK", kNot, 0},
    {"WARNING", kNot, 1},
    {"CRITICAL", kNot, 2},
    {"SCHEDULED CRITICAL", kNot, 2},
    {"UNSCHEDULED CRITICAL", kNot, 2},
}};

// "ACKNOWLEDGEMENT (WARNING)" is a WARNING that somebody has seen.
std::string_view without_acknowledgement(std::string_view status) {
  constexpr std::string_view kSeen = "ACKNOWLEDGEMENT (";
  const bool seen = status.ends_with(')') && status.size() > kSeen.size() &&
                    equals_ignoring_case(status.substr(0, kSeen.size()), kSeen);
  return seen ? status.substr(kSeen.size(), status.size() - kSeen.size() - 1) : status;
}

std::optional<State> state_of(std::string_view name, bool host) {
  const std::string_view status = without_acknowledgement(name);
  if (!host && equals_ignoring_case(status, "UNKNOWN")) return State{3};
  for (const StatusName& s : kStatusNames) {
    if (!equals_ignoring_case(status, s.name)) continue;
    const State state = host ? s.host : s.service;
    return state == kNot ? std::nullopt : std::optional(state);
  }
  return std::nullopt;
}

// An error's words, or none.
std::string name_fault(std::string_view field, const std::string& name, bool mended) {
  if (name.empty()) return std::string(field) + ": missing";
  if (mended && name.find("\uFFFD") != std::string::npos)
    return std::string(field) + ": " + checkrelay::quoted(name) + " is not UTF-8";
  auto good = check_name(field, name);
  return good ? std::string() : good.error().what;
}

std::string fault_of(const Fields& f, bool hosts, bool mended, std::size_t max_item) {
  if (!f.fault.empty()) return f.fault;
  if (f.bytes() > max_item) return "a result has at most " + std::to_string(max_item) + " bytes";
  std::string fault = name_fault("hostName", f.host, mended);
  if (fault.empty() && !hosts) fault = name_fault("description", f.service, mended);
  return fault;
}

Taken taken(Fields f, bool hosts, bool mended, std::size_t max_item) {
  Taken t;
  if (hosts) f.service.clear();  // of a host it is words for people
  const Subject subject{f.host, f.service};
  const bool named = !f.host.empty() && (hosts || !f.service.empty());
  if (named) t.entity = clean_text(entity_of(subject), 2 * kMaxName + 1);
  t.fault = fault_of(f, hosts, mended, max_item);
  if (!t.fault.empty()) return t;
  t.entity = entity_of(subject);
  t.result.subject = subject;
  auto state = state_of(trimmed(f.status), hosts);
  if (!state) {
    t.fault = "monitorStatus: " + checkrelay::quoted(f.status) + " is no state of a check";
    return t;
  }
  t.result.state = *state;
  auto time = parse_date(f.time);
  if (!time) {
    t.fault = "lastCheckTime: " + time.error().what;
    return t;
  }
  t.result.time = *time;
  if (f.perfdata) {
    t.result.output = std::move(f.output);
    t.result.perfdata = std::move(*f.perfdata);
  } else {
    split_plugin_output(f.output, t.result.output, t.result.perfdata);
  }
  return t;
}

// --- JSON

std::string text_of(simdjson::dom::element value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  return value.is_null() ? std::string() : simdjson::minify(value);
}

Fields fields_of(const simdjson::dom::object& object) {
  Fields f;
  for (auto [key, value] : object) {
    if (std::string* field = f.find(key)) {
      *field = text_of(value);
      const bool odd = value.is_object() || value.is_array() || value.is_bool();
      if (odd) f.fault = std::string(key) + ": " + checkrelay::quoted(*field) + " is no text";
    }
    simdjson::dom::object properties;
    if (key != "properties" || value.get_object().get(properties) != simdjson::SUCCESS) continue;
    for (auto [name, property] : properties) f.property(name, text_of(property));
  }
  return f;
}

Result<simdjson::dom::array> list_of(simdjson::dom::element document, std::string_view name) {
  simdjson::dom::array list;
  simdjson::dom::object object;
  if (document.get_array().get(list) == simdjson::SUCCESS) return list;  // 7.0
  if (document.get_object().get(object) == simdjson::SUCCESS &&
      object.at_key(name).get_array().get(list) == simdjson::SUCCESS)
    return list;
  return fail(Errc::invalid, "JSON: no list " + checkrelay::quoted(name));
}

Result<Batch> read_json(const std::string& raw, bool hosts, std::size_t max_item) {
  std::string body = raw;
  Batch batch;
  batch.mended = make_valid_utf8(body);
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (auto error = parser.parse(body).get(document); error != simdjson::SUCCESS) {
    return fail(Errc::invalid, std::string("JSON: ") + simdjson::error_message(error) + " in " +
                                   checkrelay::quoted(body));
  }
  auto list = list_of(document, hosts ? "hosts" : "services");
  if (!list) return tl::unexpected(list.error());
  for (simdjson::dom::element element : *list) {
    simdjson::dom::object object;
    Fields f;
    if (element.get_object().get(object) == simdjson::SUCCESS) {
      f = fields_of(object);
    } else {
      f.fault = checkrelay::quoted(simdjson::minify(element)) + " is no object";
    }
    batch.items.push_back(taken(std::move(f), hosts, batch.mended > 0, max_item));
  }
  return batch;
}

// --- XML

class XmlReader {
 public:
  XmlReader(bool hosts, std::size_t max_item) : hosts_(hosts), max_item_(max_item) {}

  Result<Batch> read(const std::string& body) {
    pugi::xml_document document;
    auto parsed =
        document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_doctype);
    if (!parsed) {
      const auto at = static_cast<std::size_t>(parsed.offset < 0 ? 0 : parsed.offset);
      return fail(Errc::invalid,
                  std::string("XML: ") + parsed.description() + " at " +
                      checkrelay::quoted(std::string_view(body).substr(std::min(at, body.size()))));
    }
    for (const pugi::xml_node node : document.children())
      if (node.type() == pugi::node_doctype)
        return fail(Errc::invalid, "XML: a document type is not taken here");
    const char* name = hosts_ ? "hosts" : "services";
    const pugi::xml_node root = document.child(name);
    if (!root) return fail(Errc::invalid, "XML: no element " + checkrelay::quoted(name));
    for (const pugi::xml_node node : root.children(hosts_ ? "host" : "service"))
      batch_.items.push_back(item(node));
    return std::move(batch_);
  }

 private:
  std::string valid(std::string text) {
    batch_.mended += make_valid_utf8(text);
    return text;
  }

  Taken item(const pugi::xml_node& node) {
    const std::size_t before = batch_.mended;
    Fields f;
    for (const pugi::xml_attribute a : node.attributes())
      if (std::string* field = f.find(a.name())) *field = valid(a.value());
    for (const pugi::xml_node p : node.child("properties").children("property"))
      f.property(p.attribute("name").value(), valid(p.attribute("value").value()));
    return taken(std::move(f), hosts_, batch_.mended > before, max_item_);
  }

  bool hosts_;
  std::size_t max_item_;
  Batch batch_{};
};

}  // namespace

Result<Batch> read_batch(const std::string& body, bool hosts, bool xml, std::size_t max_item) {
  return xml ? XmlReader(hosts, max_item).read(body) : read_json(body, hosts, max_item);
}

}  // namespace checkrelay::groundwork
