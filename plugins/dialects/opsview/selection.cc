// What a request asks for.
#include <algorithm>
#include <array>
#include <span>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/opsview/inbound.h"

namespace checkrelay::opsview {
namespace {

void read_parameters(std::string_view text,
                     std::vector<std::pair<std::string, std::string>>& into) {
  for (std::string_view pair : split(text, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    into.emplace_back(form_decoded(pair.substr(0, equals)), form_decoded(pair.substr(equals + 1)));
  }
}

Result<Data> parse(Format format, std::string_view text) {
  if (format == Format::json) return parse_json(text);
  return format == Format::xml ? parse_xml(text) : parse_perl(text);
}

Format sniffed(std::string_view body) {
  if (body.starts_with('<')) return Format::xml;
  return body.find("=>") != std::string_view::npos && !body.starts_with("{\"") ? Format::perl
                                                                               : Format::json;
}

Result<Data> read_body(const Message& request, const std::string* type) {
  std::string body = request.body;
  make_valid_utf8(body);  // or one Latin-1 letter in the output would cost the whole result
  std::optional<Format> format = type ? format_of(*type) : sniffed(trimmed(body));
  if (!format)
    return fail(Errc::unsupported, "Content-Type " + quoted(*type) + " is not read here");
  auto data = parse(*format, body);
  if (data && !data->is_map()) return fail(Errc::invalid, "Not a HASH: " + quoted(body));
  return data;
}

bool is_form(const std::string* type) {
  return type && equals_ignoring_case(trimmed(std::string_view(*type).substr(0, type->find(';'))),
                                      "application/x-www-form-urlencoded");
}

// Every value of the names, body first; a list in the body is several.
std::vector<std::string> values(const Given& given, std::span<const std::string_view> names) {
  std::vector<std::string> out;
  for (std::string_view name : names) {
    const Data* item = given.body.find(name);
    if (!item) continue;
    if (item->kind == Data::Kind::text) out.push_back(item->value);
    for (const Data& one : item->items) out.push_back(one.value);
  }
  if (!out.empty()) return out;
  for (const auto& [name, value] : given.parameters)
    if (std::find(names.begin(), names.end(), name) != names.end()) out.push_back(value);
  return out;
}

constexpr std::array<std::string_view, 5> kHostNames{"hostname", "hst.hostname", "svc.hostname",
                                                     "host", "hst.host"};
constexpr std::array<std::string_view, 4> kServiceNames{"servicename", "svc.servicename",
                                                        "servicecheck", "service"};
constexpr std::array<std::string_view, 2> kBoth{"svc.hs", "hs"};

// The one value of a name; several of the same are one.
Result<std::string> only(std::string_view field, const std::vector<std::string>& all) {
  if (all.empty()) return std::string();
  for (const std::string& other : all)
    if (other != all.front())
      return fail(Errc::invalid, std::string(field) + ": " + quoted(other) + " beside " +
                                     quoted(all.front()) + ": one object a result");
  const std::string& name = all.front();
  if (name.find('%') != std::string::npos)
    return fail(Errc::invalid, std::string(field) + ": " + quoted(name) + " is a wildcard");
  if (name.find("\uFFFD") != std::string::npos || !is_valid_utf8(name))
    return fail(Errc::invalid, std::string(field) + ": " + quoted(name) + " is not UTF-8");
  auto checked = check_name(field, name);
  if (!checked) return tl::unexpected(checked.error());
  return name;
}

Result<State> read_state(std::string_view field, std::string_view text, bool host) {
  auto code = parse_integer(trimmed(text), -1'000'000, 1'000'000);
  if (!code) return fail(Errc::invalid, std::string(field) + ": " + quoted(text) + " is no number");
  auto state = state_from_code(*code, host);
  if (!state) return fail(Errc::invalid, std::string(field) + ": " + state.error().what);
  return state;
}

struct Fields {
  std::string state_name{};
  std::string state{};
  std::string output{};
  std::string perfdata{};
};

Result<Fields> read_detail(const Given& given) {
  const Data* set = given.body.find("set_state");
  if (!set || !set->is_map()) return fail(Errc::invalid, "set_state: missing");
  Fields f{"result", std::string(set->text_of("result")), std::string(set->text_of("output")),
           std::string(set->text_of("perfdata"))};
  if (f.output.empty()) return fail(Errc::invalid, "output: it is empty");
  return f;
}

// The document's table says `state`, its example and its clients `new_state`.
Result<Fields> read_status(const Given& given) {
  std::string state = given.text("new_state");
  if (state.empty()) state = given.text("state");
  return Fields{"new_state", std::move(state), given.text("comment"), {}};
}

}  // namespace

std::string Given::text(std::string_view name) const {
  if (const Data* item = body.find(name); item && item->kind == Data::Kind::text)
    return item->value;
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

Result<Given> read_request(const Message& request) {
  Given given;
  const std::string* type = request.header("Content-Type");
  const std::size_t mark = request.target.find('?');
  if (is_form(type)) read_parameters(request.body, given.parameters);
  if (mark != std::string::npos)
    read_parameters(std::string_view(request.target).substr(mark + 1), given.parameters);
  if (is_form(type) || trimmed(request.body).empty()) return given;
  auto body = read_body(request, type);
  if (!body) return tl::unexpected(body.error());
  given.body = std::move(*body);
  return given;
}

Result<Subject> selected_subject(const Given& given) {
  auto host = only("hostname", values(given, kHostNames));
  if (!host) return tl::unexpected(host.error());
  const std::vector<std::string> services = values(given, kServiceNames);
  auto service = only("servicename", services);
  if (!service) return tl::unexpected(service.error());
  // A script's empty variable; a host's result has no such field.
  if (!services.empty() && service->empty()) return fail(Errc::invalid, "servicename: it is empty");
  auto both = only("hs", values(given, kBoth));
  if (!both) return tl::unexpected(both.error());
  Subject subject{std::move(*host), std::move(*service)};
  if (const std::size_t at = both->find("::"); at != std::string::npos) {
    subject = {both->substr(0, at), both->substr(at + 2)};
    if (subject.service.empty())
      return fail(Errc::invalid, "hs: " + quoted(*both) + " names no service");
  }
  if (subject.host.empty()) return fail(Errc::invalid, "no hostname");
  return subject;
}

Result<CheckResult> read_result(Form form, const Given& given) {
  CheckResult result;
  auto subject = selected_subject(given);
  if (!subject) return tl::unexpected(subject.error());
  result.subject = std::move(*subject);
  auto fields = form == Form::detail ? read_detail(given) : read_status(given);
  if (!fields) return tl::unexpected(fields.error());
  auto state = read_state(fields->state_name, fields->state, result.subject.is_host());
  if (!state) return tl::unexpected(state.error());
  result.state = *state;
  make_valid_utf8(fields->output);
  split_plugin_output(fields->output, result.output, result.perfdata);
  if (result.perfdata.empty()) result.perfdata = std::move(fields->perfdata);
  return result;
}

}  // namespace checkrelay::opsview
