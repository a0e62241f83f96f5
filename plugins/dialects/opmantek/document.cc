// The documents of the outages API. The only nlohmann include of this dialect.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "plugins/dialects/opmantek/wire.h"

namespace checkrelay::opmantek {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 64;
constexpr auto kReplace = Json::error_handler_t::replace;

// Whether brackets outside of texts nest no deeper: to write a deep tree would take a deep stack.
bool is_shallow(std::string_view text) {
  int depth = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside && c == '\\') ++i;
    if (c == '"') inside = !inside;
    if (inside) continue;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kDeepest) return false;
  }
  return true;
}

Result<Json> read(const std::string& body) {
  if (!is_shallow(body)) return fail(Errc::invalid, "JSON that is nested too deep");
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return fail(Errc::invalid, "no JSON: " + checkrelay::quoted(body));
  return json;
}

std::string text_of(const Json& object, const char* key) {
  auto it = object.find(key);
  if (it == object.end() || it->is_null()) return "";
  std::string text = it->is_string() ? it->get<std::string>() : it->dump(-1, ' ', false, kReplace);
  make_valid_utf8(text);
  return text;
}

// A time may be a number, with a fraction even, or a text.
std::string time_of(const Json& object, const char* key) {
  auto it = object.find(key);
  if (it != object.end() && it->is_number_float())
    return std::to_string(static_cast<long long>(std::clamp(it->get<double>(), 0.0, 1e15)));
  return text_of(object, key);
}

bool take_names(const Json& value, std::vector<std::string>& names) {
  if (value.is_null()) return true;
  if (value.is_string()) {
    const auto name = value.get<std::string>();
    if (name.starts_with('/')) return false;  // an expression over names: not of this API
    names.push_back(name);
    return true;
  }
  if (!value.is_array()) return false;
  for (const Json& name : value) {
    if (!name.is_string()) return false;
    names.push_back(name.get<std::string>());
  }
  return true;
}

// False where the selector has something that is not understood: whom it is for is not known then.
bool take_nodes(const Json& outage, std::vector<std::string>& names) {
  auto it = outage.find("nodes");
  if (it == outage.end()) return true;
  if (!it->is_object()) return take_names(*it, names);
  for (const auto& [key, value] : it->items())
    if (key != "name" || !take_names(value, names)) return false;
  return true;
}

bool take_elements(const Json& outage, std::vector<OutageElement>& elements) {
  for (const char* key : {"element", "elements"}) {
    auto it = outage.find(key);
    if (it == outage.end() || it->is_null()) continue;
    if (!it->is_array()) return false;
    for (const Json& e : *it) {
      if (!e.is_object()) return false;
      elements.push_back({text_of(e, "node_name"), text_of(e, "element_name")});
    }
    break;
  }
  return true;
}

Result<PlannedOutage> read_outage(const Json& json) {
  if (!json.is_object()) return fail(Errc::invalid, "an outage is no object");
  PlannedOutage o;
  o.id = text_of(json, "id");
  auto no = [&](const char* what) {
    return fail(Errc::invalid, "outage " + checkrelay::quoted(o.id) + ": " + what);
  };
  if (o.id.empty()) return no("has no id");
  o.change_id = text_of(json, "change_id");
  o.description = text_of(json, "description");
  o.frequency = text_of(json, "frequency");
  if (o.frequency.empty()) o.frequency = "once";
  o.start = time_of(json, "start");
  o.end = time_of(json, "end");
  if (!take_nodes(json, o.nodes)) return no("has selectors other than names of nodes");
  if (!take_elements(json, o.elements)) return no("its elements are no list");
  return o;
}

bool is_epoch(std::string_view text) {
  return !text.empty() && text.size() < 16 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

Json time_json(const std::string& text) {
  if (!is_epoch(text)) return text;
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Json elements_json(const std::vector<OutageElement>& elements) {
  Json list = Json::array();
  for (const OutageElement& e : elements)
    list.push_back({{"node_name", e.node}, {"element_name", e.element}});
  return list;
}

void apply(const Wish& wish, Json& outage) {
  if (wish.change_id) outage["change_id"] = *wish.change_id;
  if (wish.description) outage["description"] = *wish.description;
  if (wish.frequency) outage["frequency"] = *wish.frequency;
  if (wish.nodes) outage["nodes"] = *wish.nodes;
  if (wish.elements) outage["elements"] = elements_json(*wish.elements);
  if (wish.start) outage["start"] = time_json(*wish.start);
  if (wish.end) outage["end"] = time_json(*wish.end);
}

// NMIS's core refuses an outage without a frequency.
void complete(Json& outage) {
  auto it = outage.find("frequency");
  if (it == outage.end() || it->is_null()) outage["frequency"] = "once";
}

std::string written(const Json& json) { return json.dump(-1, ' ', false, kReplace); }

// JSON has no number with a leading zero.
void append_time(JsonWriter& out, const std::string& text) {
  is_epoch(text) && text.front() != '0' ? out.raw(text) : out.text(text);
}

void append_names(JsonWriter& out, const std::vector<std::string>& names) {
  out.begin_array();
  for (const std::string& name : names) out.text(name);
  out.end_array();
}

}  // namespace

Result<OutageList> parse_list(const std::string& body) {
  auto json = read(body);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_array())
    return fail(Errc::invalid, "no list of outages: " + checkrelay::quoted(body));
  OutageList list;
  for (const Json& item : *json) {
    if (auto outage = read_outage(item)) {
      list.outages.push_back(std::move(*outage));
    } else {
      list.complaints.push_back(outage.error().what);
    }
  }
  return list;
}

Result<std::string> compact(const std::string& body) {
  auto json = read(body);
  if (!json) return tl::unexpected(json.error());
  return written(*json);
}

bool is_absolute(std::string_view time) {
  if (time.find_first_not_of("0123456789.") == std::string_view::npos)
    return is_epoch(time.substr(0, time.find('.')));
  const std::size_t clock = time.find_first_of("Tt");
  if (clock == std::string_view::npos || clock + 6 > time.size() || time[0] < '0' || time[0] > '9')
    return false;
  const std::string_view rest = time.substr(clock + 1);
  return rest.ends_with('Z') || rest.find_first_of("+-") != std::string_view::npos;
}

std::string not_absolute(std::string_view time) {
  return checkrelay::quoted(time) + " is no time: epoch seconds, or 2026-03-01T22:00:00+01:00";
}

std::string create_body(const Wish& wish) {
  Json outage = Json::object();
  apply(wish, outage);
  complete(outage);
  return written(outage);
}

Result<std::string> update_body(const std::string& body, const Wish& wish) {
  auto json = read(body);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_object()) return fail(Errc::invalid, "no outage: " + checkrelay::quoted(body));
  std::vector<std::string> nodes;
  const bool known = take_nodes(*json, nodes);
  if (!known && !wish.nodes)
    return fail(Errc::refused,
                "it has selectors that the API cannot write back; name its nodes with --node");
  Json elements = json->contains("element") ? json->at("element") : Json();
  if (elements.is_null() && json->contains("elements")) elements = json->at("elements");
  for (const char* key : {"id", "current", "nodes", "element", "elements"}) json->erase(key);
  (*json)["nodes"] = nodes;
  if (!elements.is_null()) (*json)["elements"] = std::move(elements);
  apply(wish, *json);
  complete(*json);
  if (text_of(*json, "frequency") == "once")
    for (const auto* time : {&wish.start, &wish.end})
      if (*time && !is_absolute(**time)) return fail(Errc::refused, not_absolute(**time));
  return written(*json);
}

std::string to_json(const PlannedOutage& o, bool current, bool v2) {
  std::string text;
  JsonWriter out(text);
  out.begin_object().key("id").text(o.id).key("change_id").text(o.change_id);
  out.key("description").text(o.description).key("frequency").text(o.frequency);
  append_time(out.key("start"), o.start);
  append_time(out.key("end"), o.end);
  out.key("options").begin_object().end_object().key("current");
  current ? out.text("current") : out.null();
  out.key("nodes");
  if (!v2) out.begin_object();
  if (!v2 && !o.nodes.empty()) out.key("name");
  if (v2 || !o.nodes.empty()) append_names(out, o.nodes);
  if (!v2) out.end_object();
  if (!v2 && !o.elements.empty()) {
    out.key("element").begin_array();
    for (const OutageElement& e : o.elements)
      out.begin_object()
          .key("node_name")
          .text(e.node)
          .key("element_name")
          .text(e.element)
          .end_object();
    out.end_array();
  }
  out.end_object();
  return text;
}

}  // namespace checkrelay::opmantek
