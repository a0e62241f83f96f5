#include "plugins/dialects/native/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "agent/base/text.h"

namespace checkrelay::native {
namespace {

constexpr double kLongestTtl = 100.0 * 366 * 86400;  // seconds; what parse_duration takes

tl::unexpected<Error> wrong(const Value& value, std::string_view expected) {
  return fail(Errc::invalid, fmt::format("{} is not {}", to_string(value), expected));
}

Result<void> take_text(const Value& value, std::size_t low, std::size_t high, std::string& into) {
  if (value.kind != Value::Kind::text) return wrong(value, "a string");
  if (value.text.size() < low || value.text.size() > high)
    return fail(Errc::invalid, fmt::format("{} bytes, not {}-{}: {}", value.text.size(), low, high,
                                           quoted(value.text)));
  into = value.text;
  return {};
}

// Seconds as a number, or as the text of one.
std::optional<double> as_seconds(const Value& value) {
  if (value.kind == Value::Kind::integer) return static_cast<double>(value.integer);
  if (value.kind == Value::Kind::number) return value.number;
  if (value.kind == Value::Kind::text) return parse_number(value.text);
  return std::nullopt;
}

}  // namespace

struct ResultBuilder::Key {
  std::string_view name;
  Result<void> (ResultBuilder::*set)(const Value&);
};

const ResultBuilder::Key ResultBuilder::kKeys[] = {
    {"host", &ResultBuilder::set_host},
    {"service", &ResultBuilder::set_service},
    {"state", &ResultBuilder::set_state},
    {"output", &ResultBuilder::set_output},
    {"perfdata", &ResultBuilder::set_perfdata},
    {"time", &ResultBuilder::set_time},
    {"id", &ResultBuilder::set_id},
    {"ttl", &ResultBuilder::set_ttl},
    {"check_source", &ResultBuilder::set_check_source},
    {"start", &ResultBuilder::set_start},
};

namespace {

// 0.0 is told as such, or it would look like the integer that was wanted.
std::string shortest(double number) {
  std::string text = fmt::format("{}", number);
  return text.find_first_not_of("-0123456789") == text.npos ? text + ".0" : text;
}

}  // namespace

std::string to_string(const Value& value) {
  switch (value.kind) {
    case Value::Kind::text:
      return quoted(value.text);
    case Value::Kind::integer:
      return std::to_string(value.integer);
    case Value::Kind::number:
      return shortest(value.number);
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::null:
      return "null";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a map";
    case Value::Kind::other:
      break;
  }
  return "a binary value";
}

Error ResultBuilder::unknown(std::string_view key) {
  std::vector<std::string_view> names;
  for (const Key& k : kKeys) names.push_back(k.name);
  auto meant = closest(key, names);
  return {Errc::invalid, quoted(key) + " is not a key of a check result" +
                             (meant ? fmt::format(" (did you mean {}?)", *meant) : "")};
}

Result<void> ResultBuilder::set(std::string_view key, const Value& value) {
  const Key* found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                  [key](const Key& k) { return k.name == key; });
  if (found == std::end(kKeys)) return tl::unexpected<Error>(unknown(key));
  unsigned bit = 1U << static_cast<unsigned>(found - kKeys);
  if ((seen_ & bit) != 0) return fail(Errc::invalid, fmt::format("{}: given twice", key));
  seen_ |= bit;
  Result<void> done = (this->*found->set)(value);
  if (!done) return fail(Errc::invalid, fmt::format("{}: {}", key, done.error().what));
  return {};
}

Result<void> ResultBuilder::set_host(const Value& v) {
  return take_text(v, 1, kMaxName, result_.subject.host);
}
Result<void> ResultBuilder::set_service(const Value& v) {
  return take_text(v, 0, kMaxName, result_.subject.service);
}
Result<void> ResultBuilder::set_id(const Value& v) { return take_text(v, 1, kMaxId, result_.id); }
Result<void> ResultBuilder::set_check_source(const Value& v) {
  return take_text(v, 0, kMaxName, result_.check_source);
}

Result<void> ResultBuilder::set_start(const Value& value) {
  if (value.kind != Value::Kind::boolean) return wrong(value, "true or false");
  result_.start = value.boolean;
  return {};
}

Result<void> ResultBuilder::set_state(const Value& value) {
  if (value.kind != Value::Kind::text && value.kind != Value::Kind::integer)
    return wrong(value, "an integer or a name");
  has_state_ = true;
  state_ = value;
  return {};
}

Result<void> ResultBuilder::set_output(const Value& value) {
  if (value.kind != Value::Kind::text) return wrong(value, "a string");
  output_ = value.text;
  return {};
}

Result<void> ResultBuilder::set_perfdata(const Value& value) {
  if (value.kind != Value::Kind::text) return wrong(value, "a string");
  result_.perfdata = value.text;
  has_perfdata_ = true;
  return {};
}

Result<void> ResultBuilder::set_time(const Value& value) {
  Result<Wall> time = fail(Errc::invalid, "");
  if (auto seconds = as_seconds(value))
    time = wall_from_epoch(*seconds);
  else if (value.kind == Value::Kind::text)
    time = parse_rfc3339(value.text);
  if (!time) return wrong(value, "epoch seconds or RFC 3339");
  result_.time = *time;
  return {};
}

Result<void> ResultBuilder::set_ttl(const Value& value) {
  if (auto seconds = as_seconds(value)) {
    if (!(*seconds >= 0 && *seconds <= kLongestTtl)) return wrong(value, "0 s to 100 years");
    result_.ttl = Duration(static_cast<Duration::rep>(*seconds * 1e6));
    return {};
  }
  if (value.kind != Value::Kind::text) return wrong(value, "seconds or a duration");
  auto ttl = parse_duration(value.text);
  if (!ttl) return wrong(value, "seconds or a duration (\"90s\")");
  result_.ttl = *ttl;
  return {};
}

Result<State> ResultBuilder::read_state() const {
  bool host = result_.subject.is_host();
  if (state_.kind == Value::Kind::integer) return state_from_code(state_.integer, host);
  return parse_state(state_.text, host);
}

bool ResultBuilder::has(std::string_view key) const {
  const Key* found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                  [key](const Key& k) { return k.name == key; });
  return (seen_ & 1U << static_cast<unsigned>(found - kKeys)) != 0;
}

Result<CheckResult> ResultBuilder::finish_start() {
  for (std::string_view key : {"state", "output", "perfdata", "ttl"})
    if (has(key)) return fail(Errc::invalid, fmt::format("{}: a start has none", key));
  if (!has("id")) return fail(Errc::invalid, "id: missing: a start needs the id of its run");
  return std::move(result_);
}

Result<CheckResult> ResultBuilder::finish() {
  if (result_.start) return finish_start();
  if (!has_state_) return fail(Errc::invalid, "state: missing");
  auto state = read_state();
  if (!state) return fail(Errc::invalid, "state: " + state.error().what);
  result_.state = *state;
  if (has_perfdata_)
    result_.output = output_;
  else
    split_plugin_output(output_, result_.output, result_.perfdata);
  return std::move(result_);
}

std::size_t mend_text(CheckResult& result) {
  return make_valid_utf8(result.output) + make_valid_utf8(result.perfdata);
}

}  // namespace checkrelay::native
