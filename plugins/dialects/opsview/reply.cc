// Our answers.
#include <algorithm>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/opsview/inbound.h"

namespace checkrelay::opsview {
namespace {

std::string_view media_type(Format format) {
  if (format == Format::json) return "application/json";
  return format == Format::xml ? "text/xml" : "text/x-data-dumper";
}

std::string written(Format format, const Data& data) {
  if (format == Format::json) return to_json(data);
  return format == Format::xml ? to_xml(data) : to_perl(data);
}

// A URL parameter; empty where it is not there.
std::string parameter(std::string_view target, std::string_view name) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  for (std::string_view pair : split(target.substr(mark + 1), '&')) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (form_decoded(pair.substr(0, equals)) == name)
      return form_decoded(pair.substr(std::min(equals + 1, pair.size())));
  }
  return {};
}

}  // namespace

std::optional<Format> format_of(std::string_view type) {
  type = trimmed(type.substr(0, type.find(';')));
  for (std::string_view name : {"application/json", "text/x-json", "text/json"})
    if (equals_ignoring_case(type, name)) return Format::json;
  for (std::string_view name : {"text/xml", "application/xml"})
    if (equals_ignoring_case(type, name)) return Format::xml;
  for (std::string_view name : {"text/x-data-dumper", "text/x-data-dump"})
    if (equals_ignoring_case(type, name)) return Format::perl;
  return std::nullopt;
}

Format answer_format(const Message& request) {
  if (const std::string* accept = request.header("Accept"))
    for (std::string_view type : split(*accept, ','))
      if (auto format = format_of(type)) return *format;
  if (request.method == "GET")
    if (auto format = format_of(parameter(request.target, "content-type"))) return *format;
  if (const std::string* type = request.header("Content-Type"))
    if (auto format = format_of(*type)) return *format;
  return Format::perl;
}

bool wants_200(const Message& request) {
  return parameter(request.target, "alwaysReturn200") == "1";
}

Message reply(const Message& request, int status, const Data& data) {
  const Format format = answer_format(request);
  if (!wants_200(request))
    return Message::response(status, written(format, data), media_type(format));
  return Message::response(200, written(format, Data::map().add("rest", data)), media_type(format));
}

Message refusal(const Message& request, int status, std::string_view message,
                std::string_view detail) {
  Data data = Data::map();
  data.add("message", Data::text(message));
  if (!detail.empty()) data.add("detail", Data::text(detail));
  return reply(request, status, data);
}

Data confirmation(Form form, const Subject& subject) {
  if (form == Form::detail) return Data::map().add("success", Data::text("1"));
  const bool host = subject.is_host();
  Data object = Data::map().add("hostname", Data::text(subject.host));
  if (!host) object.add("servicename", Data::text(subject.service));
  Data hosts = Data::list();
  Data services = Data::list();
  (host ? hosts : services).items.push_back(std::move(object));
  Data summary = Data::map().add("num_hosts", Data::text(host ? "1" : "0"));
  summary.add("num_services", Data::text(host ? "0" : "1"));
  Data list = Data::map().add("hosts", std::move(hosts));
  list.add("services", std::move(services));
  return Data::map().add("summary", std::move(summary)).add("list", std::move(list));
}

}  // namespace checkrelay::opsview
