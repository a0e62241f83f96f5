// The way in: from a request's body to a check result, and our answers in OP5's form.
#include <simdjson.h>

#include "agent/base/json.h"
#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/op5/wire.h"

namespace checkrelay::op5 {
namespace {

// A command's fields as text, as far as they were given.
struct Fields {
  std::optional<std::string> host_name{}, service_description{}, status_code{}, plugin_output{};
  std::optional<std::string>* find(std::string_view name) {
    if (name == "host_name") return &host_name;
    if (name == "service_description") return &service_description;
    if (name == "status_code") return &status_code;
    if (name == "plugin_output") return &plugin_output;
    return nullptr;
  }
};

Result<std::string> field_text(std::string_view name, simdjson::dom::element value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  if (name == "status_code" && (value.is_int64() || value.is_uint64()))
    return simdjson::minify(value);
  return fail(Errc::invalid, std::string(name) + ": " +
                                 checkrelay::quoted(simdjson::minify(value)) + " is no " +
                                 (name == "status_code" ? "number" : "text"));
}

// OP5's own how-to shows its curl call with shell line continuations inside single quotes, so that
// the shell sends them: a backslash and a line end between two members. No JSON has one there;
// inside a string nothing is touched.
std::string without_continuations(const std::string& body) {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool escape = body[i] == '\\';
    const std::size_t end = i + (i + 1 < body.size() && body[i + 1] == '\r' ? 2 : 1);
    if (escape && !inside && end < body.size() && body[end] == '\n') {
      i = end;
      continue;
    }
    if (body[i] == '"') inside = !inside;
    out += body[i];
    if (escape && inside && i + 1 < body.size()) out += body[++i];
  }
  return out;
}

Result<Fields> read_json(const std::string& raw) {
  const std::string body = without_continuations(raw);
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  auto document = parser.parse(body);
  if (document.error()) {
    return fail(Errc::invalid, std::string("JSON: ") + simdjson::error_message(document.error()) +
                                   " in " + checkrelay::quoted(body));
  }
  if (document.get_object().get(object))
    return fail(Errc::invalid, "JSON: " + checkrelay::quoted(body) + " is no object");
  Fields fields;
  for (auto [key, value] : object) {
    std::optional<std::string>* field = fields.find(key);
    if (!field || value.is_null()) continue;
    auto text = field_text(key, value);
    if (!text) return tl::unexpected(text.error());
    *field = std::move(*text);
  }
  return fields;
}

Fields read_form(std::string_view body) {
  Fields fields;
  for (std::string_view pair : split(body, '&')) {
    std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    auto* field = fields.find(form_decoded(pair.substr(0, equals)));
    if (field) *field = form_decoded(pair.substr(equals + 1));
  }
  return fields;
}

bool is_form(std::string_view body, std::string_view content_type) {
  std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  return equals_ignoring_case(type, "application/x-www-form-urlencoded") &&
         !trimmed(body).starts_with('{');
}

Result<Fields> read_fields(std::string_view body, std::string_view content_type) {
  std::string text(body);
  if (is_form(body, content_type)) return read_form(text);
  make_valid_utf8(text);  // or one Latin-1 letter in the output would cost the whole result
  return read_json(text);
}

Result<std::string> name_field(std::string_view field, const std::optional<std::string>& name) {
  if (!name || name->empty()) return fail(Errc::invalid, std::string(field) + ": missing");
  if (name->find("\uFFFD") != std::string::npos) {
    return fail(Errc::invalid,
                std::string(field) + ": " + checkrelay::quoted(*name) + " is not UTF-8");
  }
  auto checked = check_name(field, *name);
  if (!checked) return tl::unexpected(checked.error());
  return *name;
}

Result<State> state_field(const std::optional<std::string>& code, bool host) {
  if (!code) return fail(Errc::invalid, "status_code: missing");
  auto number = parse_integer(trimmed(*code), -1'000'000, 1'000'000);
  if (!number)
    return fail(Errc::invalid, "status_code: " + checkrelay::quoted(*code) + " is no number");
  auto state = state_from_code(*number, host);
  if (!state) return fail(Errc::invalid, "status_code: " + state.error().what);
  return state;
}

}  // namespace

Result<CheckResult> parse_request(bool host, std::string_view body, std::string_view content_type) {
  auto fields = read_fields(body, content_type);
  if (!fields) return tl::unexpected(fields.error());
  CheckResult result;
  auto name = name_field("host_name", fields->host_name);
  if (!name) return tl::unexpected(name.error());
  result.subject.host = std::move(*name);
  if (!host) {
    auto service = name_field("service_description", fields->service_description);
    if (!service) return tl::unexpected(service.error());
    result.subject.service = std::move(*service);
  }
  auto state = state_field(fields->status_code, host);
  if (!state) return tl::unexpected(state.error());
  result.state = *state;
  std::string text = fields->plugin_output.value_or("");
  make_valid_utf8(text);
  split_plugin_output(text, result.output, result.perfdata);
  return result;
}

Message success(bool host) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .key("result")
      .text("Successfully submitted " + std::string(command_name(host)))
      .end_object();
  return Message::response(200, std::move(body), "application/json");
}

Message refusal(int status, std::string_view error, std::string_view full_error) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .key("error")
      .text(error)
      .key("full_error")
      .text(full_error)
      .end_object();
  return Message::response(status, std::move(body), "application/json");
}

}  // namespace checkrelay::op5
