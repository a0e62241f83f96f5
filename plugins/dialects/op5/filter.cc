#include "plugins/dialects/op5/filter.h"

#include <simdjson.h>

#include "agent/base/percent.h"
#include "agent/base/text.h"

namespace checkrelay::op5 {
namespace {

using Row = simdjson::dom::element;

std::string filter_url(std::string_view root, std::string_view query, std::string_view columns) {
  return api_url(root) + "/filter/query?format=json&query=" + percent_encoded(query) +
         "&columns=" + percent_encoded(columns) + "&limit=" + std::to_string(kMostRows);
}

std::string text_literal(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string condition(const Subject& subject) {
  if (subject.is_host()) return "name = " + text_literal(subject.host);
  return "(host.name = " + text_literal(subject.host) +
         " and description = " + text_literal(subject.service) + ")";
}

std::string text_at(Row row, std::string_view key) {
  std::string_view text;
  return row[key].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// Numbers may be texts.
std::optional<std::int64_t> number_at(Row row, std::string_view key) {
  std::int64_t number = 0;
  if (row[key].get_int64().get(number) == simdjson::SUCCESS) return number;
  return parse_integer(text_at(row, key), INT64_MIN, INT64_MAX);
}

std::optional<bool> flag_at(Row row, std::string_view key) {
  bool flag = false;
  if (row[key].get_bool().get(flag) == simdjson::SUCCESS) return flag;
  const auto number = number_at(row, key);
  return number ? std::optional(*number != 0) : std::nullopt;
}

std::string host_of(Row row) {
  std::string name = text_at(row, "host.name");
  if (name.empty()) name = text_at(row, "host_name");
  Row host;
  if (!name.empty() || row["host"].get(host) != simdjson::SUCCESS) return name;
  return host.is_object() ? text_at(host, "name") : text_at(row, "host");
}

Object object_of(Row row, bool host) {
  Object o;
  o.subject.host = host ? text_at(row, "name") : host_of(row);
  if (!host) o.subject.service = text_at(row, "description");
  o.last_check = number_at(row, "last_check");
  o.passive = flag_at(row, "accept_passive_checks");
  return o;
}

Result<simdjson::dom::array> read_list(simdjson::dom::parser& parser, const std::string& body) {
  simdjson::dom::array list;
  if (parser.parse(body).get_array().get(list) != simdjson::SUCCESS)
    return fail(Errc::invalid, "no list: " + checkrelay::quoted(body));
  return list;
}

}  // namespace

std::string api_url(std::string_view root) {
  while (root.ends_with('/')) root.remove_suffix(1);
  std::string url(root);
  return url.ends_with("/api") ? url : url + "/api";
}

std::string core_url(std::string_view root) {
  return filter_url(root, "[status] all",
                    "program_version,accept_passive_host_checks,accept_passive_service_checks");
}

Result<Core> parse_core(std::string_view body) {
  simdjson::dom::parser parser;
  const std::string text(body);
  auto list = read_list(parser, text);
  if (!list) return tl::unexpected(list.error());
  for (Row row : *list) {
    if (!row.is_object()) continue;
    Core core{text_at(row, "program_version"), flag_at(row, "accept_passive_host_checks"),
              flag_at(row, "accept_passive_service_checks")};
    if (!core.version.empty() || core.takes_hosts || core.takes_services) return core;
  }
  return fail(Errc::invalid, "nothing of the core: " + checkrelay::quoted(body));
}

std::string objects_url(std::string_view root, std::span<const Subject> subjects) {
  const bool hosts = subjects.front().is_host();
  std::string query = hosts ? "[hosts] " : "[services] ";
  for (std::size_t i = 0; i < subjects.size(); ++i)
    query += (i > 0 ? " or " : "") + condition(subjects[i]);
  return filter_url(root, query,
                    hosts ? "name,last_check,accept_passive_checks"
                          : "host.name,description,last_check,accept_passive_checks");
}

Result<std::vector<Object>> parse_objects(std::string_view body, bool hosts) {
  simdjson::dom::parser parser;
  const std::string text(body);
  auto list = read_list(parser, text);
  if (!list) return tl::unexpected(list.error());
  std::vector<Object> objects;
  std::size_t rows = 0;
  for (Row row : *list) {
    if (++rows > kMostRows) break;
    if (!row.is_object()) continue;
    Object o = object_of(row, hosts);
    if (!o.subject.host.empty() && (hosts || !o.subject.service.empty()))
      objects.push_back(std::move(o));
  }
  return objects;
}

}  // namespace checkrelay::op5
