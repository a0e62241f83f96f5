#include "plugins/dialects/native/json_line.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "agent/base/text.h"
#include "plugins/dialects/native/fields.h"

namespace checkrelay::native {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

Value value_of(const dom::element& element) {
  Value v;
  switch (element.type()) {
    case dom::element_type::STRING:
      v.kind = Value::Kind::text;
      v.text = element.get_string().value_unsafe();
      break;
    case dom::element_type::INT64:
      v.kind = Value::Kind::integer;
      v.integer = element.get_int64().value_unsafe();
      break;
    case dom::element_type::UINT64:  // only what does not fit in 63 bits
    case dom::element_type::DOUBLE:
      v.kind = Value::Kind::number;
      v.number = element.get_double().value_unsafe();
      break;
    case dom::element_type::BOOL:
      v.kind = Value::Kind::boolean;
      v.boolean = element.get_bool().value_unsafe();
      break;
    case dom::element_type::ARRAY:
      v.kind = Value::Kind::list;
      break;
    case dom::element_type::OBJECT:
      v.kind = Value::Kind::map;
      break;
    case dom::element_type::NULL_VALUE:
      v.kind = Value::Kind::null;
      break;
  }
  return v;
}

Result<CheckResult> build(const dom::element& root, std::string_view text) {
  dom::object object;
  if (root.get_object().get(object) != simdjson::SUCCESS)
    return fail(Errc::invalid, "not a JSON object: " + quoted(text));
  ResultBuilder builder;
  for (const dom::key_value_pair& field : object)
    if (auto set = builder.set(field.key, value_of(field.value)); !set)
      return tl::unexpected<Error>(set.error());
  return builder.finish();
}

Result<void> refuse_mended_names(const CheckResult& r) {
  const std::pair<std::string_view, std::string_view> names[] = {{"host", r.subject.host},
                                                                 {"service", r.subject.service},
                                                                 {"id", r.id},
                                                                 {"check_source", r.check_source}};
  for (const auto& [key, name] : names)
    if (name.find(kReplacement) != std::string_view::npos)
      return fail(Errc::invalid, fmt::format("{}: not UTF-8: {}", key, quoted(name)));
  return {};
}

dom::parser& parser() {
  thread_local dom::parser instance;
  return instance;
}

Result<CheckResult> decode_mended(std::string_view text, std::size_t& mended) {
  std::string copy(text);
  std::size_t replaced = make_valid_utf8(copy);
  dom::element root;
  if (auto error = parser().parse(copy).get(root); error != simdjson::SUCCESS)
    return fail(Errc::invalid,
                fmt::format("not JSON: {}: {}", simdjson::error_message(error), quoted(text)));
  auto result = build(root, text);
  if (!result) return result;
  if (auto names = refuse_mended_names(*result); !names)
    return tl::unexpected<Error>(names.error());
  mended += replaced;
  return result;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// The end of the string that begins at `at`; the end of the text where it does not end.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return text.size();
}

// The end of the value that begins at `at`, by brackets and quotes; npos where it does not end.
std::size_t value_end(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    char c = text[at];
    bool closes = c == '}' || c == ']';
    if (depth == 0 && (c == ',' || closes)) return at;
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (closes && --depth == 0) return at + 1;
    ++at;
  }
  return std::string_view::npos;
}

Result<void> nothing_behind(std::string_view text, std::size_t end) {
  end = skip_blanks(text, end);
  if (end == text.size()) return {};
  return fail(Errc::invalid, "text behind the list: " + quoted(text.substr(end)));
}

}  // namespace

Result<CheckResult> decode_json(std::string_view text, std::size_t& mended) {
  // An empty view may point nowhere, and simdjson copies from there.
  if (text.empty()) return fail(Errc::invalid, "not JSON: nothing there");
  dom::element root;
  auto error = parser().parse(text.data(), text.size(), true).get(root);
  if (error == simdjson::SUCCESS) return build(root, text);
  if (!is_valid_utf8(text)) return decode_mended(text, mended);
  return fail(Errc::invalid,
              fmt::format("not JSON: {}: {}", simdjson::error_message(error), quoted(text)));
}

bool is_one_json_value(std::string_view text) {
  std::size_t at = skip_blanks(text, 0);
  if (at == text.size() || (text[at] != '{' && text[at] != '[')) return false;
  std::size_t end = value_end(text, at);
  return end != std::string_view::npos && skip_blanks(text, end) == text.size();
}

Result<void> split_json_list(std::string_view text,
                             const std::function<bool(std::string_view, std::size_t)>& take) {
  std::size_t at = skip_blanks(text, 0);
  if (at == text.size() || text[at] != '[') return fail(Errc::invalid, "not a JSON list");
  at = skip_blanks(text, at + 1);
  if (at < text.size() && text[at] == ']') return nothing_behind(text, at + 1);
  for (std::size_t number = 1;; ++number) {
    std::size_t end = value_end(text, at);
    if (end == std::string_view::npos)
      return fail(Errc::invalid, "the list does not end: " + quoted(text.substr(at)));
    if (!take(trimmed(text.substr(at, end - at)), number)) return {};
    at = skip_blanks(text, end);
    if (at < text.size() && text[at] == ']') return nothing_behind(text, at + 1);
    if (at == text.size() || text[at] != ',')
      return fail(Errc::invalid, "not a list from here: " + quoted(text.substr(at)));
    at = skip_blanks(text, at + 1);
  }
}

}  // namespace checkrelay::native
