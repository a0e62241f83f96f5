// The way out: from a check result to a request.
#include <algorithm>

#include "agent/base/json.h"
#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/opsview/wire.h"
#include "plugins/dialects/plugin_text.h"

namespace checkrelay::opsview {
namespace {

std::optional<std::string> unaddressable_name(std::string_view field, std::string_view name) {
  auto reason = [&](std::string_view why) {
    return std::string(field) + ": " + quoted(name) + " cannot be addressed: " + std::string(why);
  };
  if (!is_valid_utf8(name)) return reason("it is not UTF-8");
  if (name.find('%') != std::string_view::npos)
    return reason("it holds '%', which Opsview takes for a wildcard");
  if (name.find_first_of("\r\n") != std::string_view::npos) return reason("it holds a line end");
  return std::nullopt;
}

std::string selection(const Subject& subject, std::string_view host, std::string_view service) {
  std::string query = "?" + std::string(host) + "=" + percent_encoded(subject.host);
  if (!subject.is_host())
    query += "&" + std::string(service) + "=" + percent_encoded(subject.service);
  return query;
}

Message json_request(std::string method, std::string target, std::string body = {}) {
  Message m = Message::request(std::move(method), std::move(target), std::move(body));
  m.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  return m;
}

}  // namespace

std::string api_url(std::string_view root, std::string_view path) {
  while (root.ends_with('/')) root.remove_suffix(1);
  std::string url(root);
  if (!url.ends_with("/rest")) url += "/rest";
  return url + std::string(path);
}

std::optional<std::string> unaddressable(const Subject& subject) {
  if (subject.host.empty()) return "hostname: it is empty";
  auto reason = unaddressable_name("hostname", subject.host);
  if (!reason && !subject.is_host()) reason = unaddressable_name("servicename", subject.service);
  return reason;
}

bool may_match_others(const Subject& subject) {
  return (subject.host + subject.service).find('_') != std::string::npos;
}

std::string plugin_output(const CheckResult& result, const Hygiene& hygiene) {
  std::string text = without_pipes(flattened(clean_lines(result.output)));
  text = std::string(trimmed(utf8_prefix(text, hygiene.text_limit)));
  if (text.empty()) text = "(no output)";
  const std::string perfdata = clean_line(result.perfdata);
  const std::string_view kept = whole_metrics(perfdata, hygiene.text_limit);
  return kept.empty() ? text : text + "|" + std::string(kept);
}

Message login_request(std::string_view root, const Credentials& login) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .key("username")
      .text(login.user)
      .key("password")
      .text(login.secret.reveal())
      .end_object();
  return json_request("POST", api_url(root, "/login"), std::move(body));
}

Message submit_request(std::string_view root, Form form, const CheckResult& result,
                       const Hygiene& hygiene) {
  const bool host = result.subject.is_host();
  const State state = upstream_state(result.state, host);
  const std::string text = plugin_output(result, hygiene);
  std::string body;
  JsonWriter json(body);
  if (form == Form::detail) {
    json.begin_object().key("set_state").begin_object().key("result").integer(state);
    json.key("output").text(text).end_object().end_object();
    const std::string query = selection(result.subject, "hostname", "servicename");
    return json_request("POST", api_url(root, "/detail") + query, std::move(body));
  }
  json.begin_object().key("new_state").text(std::to_string(state));
  json.key("comment").text(text).end_object();
  const std::string query =
      selection(result.subject, host ? "hst.hostname" : "svc.hostname", "svc.servicename");
  return json_request("POST", api_url(root, "/status") + query, std::move(body));
}

Message lookup_request(std::string_view root, const Subject& subject) {
  return json_request("GET",
                      api_url(root, "/detail") + selection(subject, "hostname", "servicename"));
}

Message reload_request(std::string_view root, std::string_view changelog) {
  std::string target = api_url(root, "/reload?asynchronous=1");
  if (!changelog.empty()) target += "&changelog=" + percent_encoded(changelog);
  return json_request("POST", std::move(target));
}

Message logout_request(std::string_view root) {
  return json_request("DELETE", api_url(root, "/login"));
}

Message get_request(std::string_view root, std::string_view path) {
  return json_request("GET", api_url(root, path));
}

}  // namespace checkrelay::opsview
