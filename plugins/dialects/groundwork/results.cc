// Reading what a server says of a batch.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>
#include <pugixml.hpp>
#include <set>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

using Rows = std::optional<std::vector<Row>>;

std::string text_at(const simdjson::dom::object& object, std::string_view key) {
  simdjson::dom::element value;
  std::string_view text;
  if (object.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return {};
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(value);
}

Row row_of(const simdjson::dom::object& object) {
  return {lower(text_at(object, "status")), text_at(object, "entity"), text_at(object, "message")};
}

Rows read_json(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object document;
  simdjson::dom::array list;
  simdjson::dom::object row;
  if (parser.parse(body).get_object().get(document) != simdjson::SUCCESS) return std::nullopt;
  auto results = document.at_key("results");
  std::vector<Row> rows;
  if (results.get_object().get(row) == simdjson::SUCCESS) {  // a list of one, as some writers do
    rows.push_back(row_of(row));
    return rows;
  }
  if (results.get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
  rows.reserve(list.size());
  for (simdjson::dom::element element : list) {
    if (element.get_object().get(row) != simdjson::SUCCESS) return std::nullopt;
    rows.push_back(row_of(row));
  }
  return rows;
}

Rows read_xml(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8))
    return std::nullopt;
  const pugi::xml_node root = document.child("results");
  if (!root) return std::nullopt;
  std::vector<Row> rows;
  for (const pugi::xml_node node : root.children("result")) {
    rows.push_back({lower(node.attribute("status").value()), node.attribute("entity").value(),
                    node.attribute("message").value()});
  }
  return rows;
}

std::vector<std::string> keys_of(std::span<const std::string> entities) {
  std::vector<std::string> keys;
  keys.reserve(entities.size());
  for (const std::string& entity : entities) keys.push_back(entity_key(entity));
  return keys;
}

bool as_sent(std::span<const std::string> entities, std::span<const Row> rows) {
  return std::equal(entities.begin(), entities.end(), rows.begin(), rows.end(),
                    [](const std::string& entity, const Row& row) { return row.entity == entity; });
}

// A failure's row may name anything but another item of the batch.
bool in_order(std::span<const std::string> keys, std::span<const Row> rows) {
  if (keys.size() != rows.size()) return false;
  const std::set<std::string_view> sent(keys.begin(), keys.end());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string key = entity_key(rows[i].entity);
    if (key != keys[i] && (rows[i].status == "success" || sent.contains(key))) return false;
  }
  return true;
}

std::vector<std::optional<std::size_t>> by_place(std::size_t count) {
  std::vector<std::optional<std::size_t>> pairs(count);
  for (std::size_t i = 0; i < count; ++i) pairs[i] = i;
  return pairs;
}

constexpr std::size_t kAmbiguous = static_cast<std::size_t>(-1);

}  // namespace

std::optional<std::vector<Row>> read_results(const std::string& body,
                                             std::string_view content_type) {
  const std::string type = lower(content_type);
  const std::string_view text = trimmed(body);
  const bool xml = type.find("xml") != std::string::npos && !text.starts_with('{');
  if (xml || text.starts_with('<')) return read_xml(body);
  return read_json(body);
}

std::vector<std::optional<std::size_t>> pair_rows(std::span<const std::string> entities,
                                                  std::span<const Row> rows) {
  if (as_sent(entities, rows)) return by_place(entities.size());
  const std::vector<std::string> keys = keys_of(entities);
  if (in_order(keys, rows)) return by_place(entities.size());
  std::vector<std::optional<std::size_t>> pairs(entities.size());
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto [at, fresh] = places.emplace(entity_key(rows[i].entity), i);
    if (!fresh) at->second = kAmbiguous;
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto at = places.find(keys[i]);
    if (at != places.end() && at->second != kAmbiguous) pairs[i] = at->second;
  }
  return pairs;
}

Judgement judge_row(const Row& row) {
  if (row.status == "success") return Judgement::delivered;
  if (row.status == "warning") return Judgement::rejected;
  if (row.status != "failure") return Judgement::transient;
  const std::string words = lower(row.message);
  constexpr std::array<std::string_view, 6> kTransient{
      "deadlock", "lock wait", "timed out", "timeout", "could not serialize", "jdbc connection"};
  const bool passing =
      std::any_of(kTransient.begin(), kTransient.end(),
                  [&](std::string_view sign) { return words.find(sign) != std::string::npos; });
  return passing ? Judgement::transient : Judgement::rejected;
}

}  // namespace checkrelay::groundwork
