// The way out: from check results to the body of a batch.
#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

using Pair = std::pair<std::string_view, std::string>;

struct Item {
  std::vector<Pair> fields{};
  std::vector<Pair> properties{};
};

std::string output_of(const CheckResult& r, std::size_t limit) {
  std::string text = clean_text(r.output, limit);
  return text.empty() ? "(no output)" : text;
}

Item item_of(const CheckResult& r, const Identity& identity) {
  const bool host = r.subject.is_host();
  const std::size_t limit = host ? kHostTextLimit : kServiceTextLimit;
  Item item;
  auto& fields = item.fields;
  fields.emplace_back("hostName", r.subject.host);
  if (!host) fields.emplace_back("description", r.subject.service);
  fields.emplace_back("monitorStatus", status_name(r.state, host));
  fields.emplace_back("appType", identity.app_type);
  fields.emplace_back("deviceIdentification", r.subject.host);
  if (!identity.monitor_server.empty())
    fields.emplace_back("monitorServer", identity.monitor_server);
  if (!identity.agent_id.empty()) fields.emplace_back("agentId", identity.agent_id);
  fields.emplace_back("lastCheckTime", format_date(r.time == Wall{} ? r.received : r.time));
  item.properties.emplace_back("LastPluginOutput", output_of(r, limit));
  std::string perfdata = clean_perfdata(r.perfdata, limit);
  // Said even so where a reader would take what is behind the pipe for it.
  const bool pipe = item.properties.front().second.find('|') != std::string::npos;
  if (!perfdata.empty() || pipe) item.properties.emplace_back("PerformanceData", perfdata);
  return item;
}

std::string json_item(const Item& item) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto& [name, value] : item.fields) json.key(name).text(value);
  if (!item.properties.empty()) {
    json.key("properties").begin_object();
    for (const auto& [name, value] : item.properties) json.key(name).text(value);
    json.end_object();
  }
  json.end_object();
  return out;
}

// XML 1.0 section 3.3.3: line ends and tabs in an attribute's value survive as references alone.
void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out.append(" ").append(name).append("=\"");
  for (char c : value) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        out += c;
    }
  }
  out += '"';
}

std::string xml_item(const Item& item, bool host) {
  const std::string_view tag = host ? "host" : "service";
  std::string out = "<";
  out += tag;
  for (const auto& [name, value] : item.fields) append_attribute(out, name, value);
  if (item.properties.empty()) return out + "/>";
  out += "><properties>";
  for (const auto& [name, value] : item.properties) {
    out += "<property";
    append_attribute(out, "name", name);
    append_attribute(out, "value", value);
    out += "/>";
  }
  return out.append("</properties></").append(tag).append(">");
}

constexpr std::string_view kXmlHead = R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>)";

struct Counts {
  std::size_t successful = 0, failed = 0, warning = 0;
};

Counts counted(std::span<const Report> reports) {
  Counts c;
  for (const Report& r : reports) {
    if (r.status == "success") {
      ++c.successful;
    } else {
      ++(r.status == "failure" ? c.failed : c.warning);
    }
  }
  return c;
}

std::string xml_results(std::span<const Report> reports, std::string_view entity_type) {
  const Counts c = counted(reports);
  std::string out(kXmlHead);
  out += "<results";
  append_attribute(out, "successful", std::to_string(c.successful));
  append_attribute(out, "failed", std::to_string(c.failed));
  append_attribute(out, "warning", std::to_string(c.warning));
  append_attribute(out, "count", std::to_string(reports.size()));
  append_attribute(out, "entityType", entity_type);
  append_attribute(out, "operation", "Update");
  out += '>';
  for (const Report& r : reports) {
    out += "<result";
    append_attribute(out, "entity", r.entity);
    append_attribute(out, "status", r.status);
    if (!r.message.empty()) append_attribute(out, "message", clean_text(r.message, kNameLimit * 4));
    if (!r.location.empty()) append_attribute(out, "location", r.location);
    out += "/>";
  }
  return out + "</results>";
}

std::string json_results(std::span<const Report> reports, std::string_view entity_type) {
  const Counts c = counted(reports);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("successful").integer(static_cast<std::int64_t>(c.successful));
  json.key("failed").integer(static_cast<std::int64_t>(c.failed));
  json.key("warning").integer(static_cast<std::int64_t>(c.warning));
  json.key("count").integer(static_cast<std::int64_t>(reports.size()));
  json.key("entityType").text(entity_type).key("operation").text("Update");
  json.key("results").begin_array();
  for (const Report& r : reports) {
    json.begin_object().key("entity").text(r.entity).key("status").text(r.status);
    if (!r.message.empty()) json.key("message").text(r.message);
    if (!r.location.empty()) json.key("location").text(r.location);
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace

std::string encode_item(const CheckResult& result, Format format, const Identity& identity) {
  const Item item = item_of(result, identity);
  return format == Format::xml ? xml_item(item, result.subject.is_host()) : json_item(item);
}

std::string encode_name(const std::string& host, Format format) {
  Item item;
  item.fields.emplace_back("hostName", host);
  return format == Format::xml ? xml_item(item, true) : json_item(item);
}

std::string encode_batch(std::span<const std::string_view> items, bool hosts, Format format) {
  const std::string_view list = hosts ? "hosts" : "services";
  std::string out;
  std::size_t bytes = kBatchFrame;
  for (std::string_view item : items) bytes += item.size() + 1;
  out.reserve(bytes);
  const bool xml = format == Format::xml;
  if (xml) out.append(kXmlHead).append("<").append(list).append(">");
  if (format == Format::json) out.append("{\"").append(list).append("\":");
  if (!xml) out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && !xml) out += ',';
    out += items[i];
  }
  if (!xml) out += ']';
  if (format == Format::json) out += '}';
  if (xml) out.append("</").append(list).append(">");
  return out;
}

std::string_view media_type(Format format) {
  return format == Format::xml ? "application/xml" : "application/json";
}

std::string api_url(std::string_view root, std::string_view rest) {
  while (root.ends_with('/')) root.remove_suffix(1);
  std::string url(root);
  if (!url.ends_with("/api")) url += "/api";
  return url.append("/").append(rest);
}

std::string write_results(std::span<const Report> reports, bool hosts, bool xml) {
  const std::string_view entity_type = hosts ? "Host" : "ServiceStatus";
  return xml ? xml_results(reports, entity_type) : json_results(reports, entity_type);
}

std::string write_error(int status, std::string_view error, bool xml) {
  std::string out;
  if (xml) {
    out = "<error";
    append_attribute(out, "error", error);
    append_attribute(out, "status", std::to_string(status));
    return out + "/>";
  }
  JsonWriter(out)
      .begin_object()
      .key("error")
      .text(error)
      .key("status")
      .integer(status)
      .end_object();
  return out;
}

}  // namespace checkrelay::groundwork
