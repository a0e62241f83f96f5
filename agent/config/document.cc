#include "agent/config/document.h"

// Header-only: Debian's shared library pays for itself only where many files include this one.
#define TOML_HEADER_ONLY 1
// toml++ 3.3 asserts on some malformed text (a header "[[[") that it then reports properly all the
// same.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <exception>

namespace checkrelay {
namespace {

int line_of(const toml::source_region& source) { return static_cast<int>(source.begin.line); }

Node convert(const toml::node& from);

Node convert_table(const toml::table& from) {
  Node out;
  for (const auto& [key, value] : from) {
    Node item = convert(value);
    item.key = std::string(key.str());
    if (int line = line_of(key.source()); line > 0 && item.kind != Node::Kind::table) {
      item.line = line;
    }
    out.items.push_back(std::move(item));
  }
  std::stable_sort(out.items.begin(), out.items.end(),
                   [](const Node& a, const Node& b) { return a.line < b.line; });
  return out;
}

Node convert_array(const toml::array& from) {
  Node out;
  out.kind = Node::Kind::array;
  for (const toml::node& value : from) out.items.push_back(convert(value));
  return out;
}

Node convert_value(const toml::node& from) {
  Node out;
  if (const auto* text = from.as_string()) {
    out.kind = Node::Kind::text;
    out.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    out.kind = Node::Kind::integer;
    out.integer = integer->get();
  } else if (const auto* number = from.as_floating_point()) {
    out.kind = Node::Kind::number;
    out.number = number->get();
  } else if (const auto* flag = from.as_boolean()) {
    out.kind = Node::Kind::boolean;
    out.flag = flag->get();
  } else {
    out.kind = Node::Kind::date;
  }
  return out;
}

// The depth is bounded by toml++ itself (TOML_MAX_NESTED_VALUES).
Node convert(const toml::node& from) {
  const toml::table* table = from.as_table();
  const toml::array* array = from.as_array();
  Node out = table ? convert_table(*table) : array ? convert_array(*array) : convert_value(from);
  out.line = line_of(from.source());
  return out;
}

}  // namespace

const Node* Node::find(std::string_view name) const {
  auto it =
      std::find_if(items.begin(), items.end(), [&](const Node& item) { return item.key == name; });
  return it == items.end() ? nullptr : &*it;
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::text:
      return "a string";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::number:
      return "a number";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::date:
      return "a date or time";
    case Node::Kind::array:
      return "an array";
    case Node::Kind::table:
      return "a table";
  }
  return "";
}

Document parse_document(std::string_view text) {
  Document out;
  try {
    out.root = convert(toml::parse(text));
  } catch (const toml::parse_error& e) {
    out.error = std::string(e.description());
    out.error_line = line_of(e.source());
  } catch (const std::exception& e) {
    out.error = e.what();
  }
  return out;
}

}  // namespace checkrelay
