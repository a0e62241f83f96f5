// The way out: from check results to the body of a batch.
#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

std::string output_of(const CheckResult& r, std::size_t limit) {
  std::string text = clean_text(r.output, limit);
  return text.empty() ? "(no output)" : text;
}

// field(name, value) of each of an item's, but its properties.
template <typename Field>
void each_field(const CheckResult& r, const Identity& identity, const Field& field) {
  const bool host = r.subject.is_host();
  field("hostName", r.subject.host);
  if (!host) field("description", r.subject.service);
  field("monitorStatus", status_name(r.state, host));
  field("appType", identity.app_type);
  field("deviceIdentification", r.subject.host);
  if (!identity.monitor_server.empty()) field("monitorServer", identity.monitor_server);
  if (!identity.agent_id.empty()) field("agentId", identity.agent_id);
  field("lastCheckTime", format_date(r.time == Wall{} ? r.received : r.time));
}

template <typename Property>
void each_property(const CheckResult& r, const Property& property) {
  const std::size_t limit = r.subject.is_host() ? kHostTextLimit : kServiceTextLimit;
  const std::string output = output_of(r, limit);
  property("LastPluginOutput", output);
  const std::string perfdata = clean_perfdata(r.perfdata, limit);
  // Said even so where a reader would take what is behind the pipe for it.
  if (!perfdata.empty() || output.find('|') != std::string::npos)
    property("PerformanceData", perfdata);
}

constexpr std::size_t kItemFrame = 400;  // bytes that an item has beside its texts, about

std::string json_item(const CheckResult& r, const Identity& identity) {
  std::string out;
  out.reserve(kItemFrame + r.output.size() + r.perfdata.size());
  JsonWriter json(out);
  const auto pair = [&](std::string_view name, std::string_view value) {
    json.key(name).text(value);
  };
  json.begin_object();
  each_field(r, identity, pair);
  json.key("properties").begin_object();
  each_property(r, pair);
  json.end_object().end_object();
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

std::string xml_item(const CheckResult& r, const Identity& identity) {
  const std::string_view tag = r.subject.is_host() ? "host" : "service";
  std::string out = "<";
  out += tag;
  each_field(r, identity, [&](std::string_view name, std::string_view value) {
    append_attribute(out, name, value);
  });
  out += "><properties>";
  each_property(r, [&](std::string_view name, std::string_view value) {
    out += "<property";
    append_attribute(out, "name", name);
    append_attribute(out, "value", value);
    out += "/>";
  });
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
  return format == Format::xml ? xml_item(result, identity) : json_item(result, identity);
}

std::string encode_name(const std::string& host, Format format) {
  std::string out;
  if (format == Format::xml) {
    append_attribute(out = "<host", "hostName", host);
    return out + "/>";
  }
  JsonWriter(out).begin_object().key("hostName").text(host).end_object();
  return out;
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
