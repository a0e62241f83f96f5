// The way out: from a check result to a request.
#include <algorithm>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "plugins/dialects/op5/filter.h"
#include "plugins/dialects/op5/wire.h"
#include "plugins/dialects/plugin_text.h"

namespace checkrelay::op5 {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

std::string one_text(const CheckResult& r, Multiline multiline) {
  std::string text = without_pipes(clean_lines(r.output));
  if (multiline == Multiline::flatten) text = flattened(text);
  if (multiline == Multiline::escaped) replace_all(text, "\n", "\\n");
  return text.empty() ? "(no output)" : text;
}

void fit(std::string& text, std::string& perfdata, std::size_t limit) {
  const std::size_t room = limit - 1;  // for the pipe
  if (text.size() + perfdata.size() > room) {
    std::size_t spare = room > perfdata.size() ? room - perfdata.size() : 0;
    text = std::string(trimmed(utf8_prefix(text, std::max(room / 2, spare))));
  }
  perfdata.resize(whole_metrics(perfdata, room - text.size()).size());
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::optional<std::string> unaddressable_name(std::string_view field, std::string_view name) {
  auto reason = [&](std::string_view why) {
    return std::string(field) + ": " + quoted(name) + " cannot be addressed: " + std::string(why);
  };
  if (!is_valid_utf8(name)) return reason("it is not UTF-8");
  if (name.find(';') != std::string_view::npos) return reason("it holds ';'");
  if (name.find_first_of("\r\n") != std::string_view::npos) return reason("it holds a line end");
  if (is_blank(name.front()) || is_blank(name.back()))
    return reason("it begins or ends with a blank");
  return std::nullopt;
}

}  // namespace

std::string_view command_name(bool host) {
  return host ? "PROCESS_HOST_CHECK_RESULT" : "PROCESS_SERVICE_CHECK_RESULT";
}

std::string command_url(std::string_view root, bool host) {
  return api_url(root) + "/command/" + std::string(command_name(host)) + "?format=json";
}

std::optional<std::string> unaddressable(const Subject& subject) {
  if (subject.host.empty()) return "host_name: it is empty";
  auto reason = unaddressable_name("host_name", subject.host);
  if (!reason && !subject.is_host())
    reason = unaddressable_name("service_description", subject.service);
  return reason;
}

std::string plugin_output(const CheckResult& result, const Hygiene& hygiene) {
  std::string text = one_text(result, hygiene.multiline);
  std::string perfdata = clean_line(result.perfdata);
  if (perfdata.empty()) return std::string(trimmed(utf8_prefix(text, hygiene.text_limit)));
  fit(text, perfdata, hygiene.text_limit);
  if (perfdata.empty()) return text;
  return text.insert(std::min(text.find('\n'), text.size()), "|" + perfdata);
}

std::string encode_body(const CheckResult& result, const Hygiene& hygiene) {
  const bool host = result.subject.is_host();
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("host_name").text(result.subject.host);
  if (!host) json.key("service_description").text(result.subject.service);
  json.key("status_code").text(std::to_string(upstream_state(result.state, host)));
  json.key("plugin_output").text(plugin_output(result, hygiene)).end_object();
  return body;
}

}  // namespace checkrelay::op5
