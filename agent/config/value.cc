#include "agent/config/value.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using Value = Options::Value;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<Value> read_text(std::string_view text) {
  if (text.find('\0') != text.npos) return fail(Errc::invalid, "must not hold a NUL");
  return Value(std::string(text));
}

Result<Value> read_path(std::string_view text) {
  if (text.empty() || text.front() != '/') {
    return fail(Errc::invalid, quoted(text) + " is not an absolute path");
  }
  if (has_control(text)) return fail(Errc::invalid, quoted(text) + " holds control characters");
  return Value(std::string(text));
}

std::string_view without_scheme(std::string_view url) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return {};
}

// RFC 3986 section 3; what the dialect adds to it must stay a path.
Result<Value> read_url(std::string_view text) {
  std::string_view rest = without_scheme(text);
  std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != authority.npos) {
    return fail(Errc::invalid, "a URL must not hold a user or password; use their own keys");
  }
  if (rest.empty()) {
    return fail(Errc::invalid, quoted(text) + " does not begin with http:// or https://");
  }
  if (authority.empty() || authority.front() == ':') {
    return fail(Errc::invalid, quoted(text) + " names no host");
  }
  if (has_control(text) || text.find_first_of(" \\?#") != text.npos) {
    return fail(Errc::invalid, quoted(text) + " is not a server's root URL");
  }
  return Value(std::string(text));
}

Result<Value> read_boolean(std::string_view text) {
  if (text == "true" || text == "false") return Value(text == "true");
  return fail(Errc::invalid, quoted(text) + " is not true or false");
}

Result<Value> ranged(const OptionRow& row, long long value) {
  if (value < row.low || value > row.high) {
    return fail(Errc::invalid, fmt::format("{} is not within {} to {}", value, row.low, row.high));
  }
  return Value(value);
}

Result<Value> read_integer(const OptionRow& row, std::string_view text) {
  auto value = parse_integer(text, row.low, row.high);
  if (!value) {
    return fail(Errc::invalid,
                fmt::format("{} is not within {} to {}", quoted(text), row.low, row.high));
  }
  return Value(*value);
}

Result<Value> read_number(std::string_view text) {
  auto value = parse_number(text);
  if (!value || *value < 0) return fail(Errc::invalid, quoted(text) + " is not a number from 0 up");
  return Value(*value);
}

Result<Value> read_duration(std::string_view text) {
  auto value = parse_duration(text);
  if (!value) {
    return fail(Errc::invalid, quoted(text) + " is no duration such as \"90s\" or \"24h\"");
  }
  return Value(*value);
}

Result<Value> read_size(std::string_view text) {
  auto value = parse_size(text);
  if (!value) return fail(Errc::invalid, quoted(text) + " is no size such as \"64KiB\"");
  return Value(static_cast<long long>(*value));
}

Result<Value> read_mode(std::string_view text) {
  long long mode = 0;
  bool octal = !text.empty() && text.size() <= 4;
  for (char c : text) {
    octal = octal && c >= '0' && c <= '7';
    mode = mode * 8 + (c - '0');
  }
  if (!octal || mode > 0777) {
    return fail(Errc::invalid, quoted(text) + " is no file mode such as \"0660\"");
  }
  return Value(mode);
}

std::vector<std::string_view> choices_of(const OptionRow& row) { return split(row.choices, '|'); }

Result<Value> read_choice(const OptionRow& row, std::string_view text) {
  if (auto known = check_word(text, choices_of(row)); !known) {
    return tl::unexpected<Error>(known.error());
  }
  return Value(std::string(text));
}

Result<Value> read_list(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view piece : split(text, ',')) {
    if (!trimmed(piece).empty()) out.emplace_back(trimmed(piece));
  }
  return Value(std::move(out));
}

Result<Value> read_list(const Node& node) {
  std::vector<std::string> out;
  for (const Node& item : node.items) {
    if (item.kind != Node::Kind::text) {
      return fail(Errc::invalid,
                  fmt::format("expected strings only, got {}", kind_name(item.kind)));
    }
    if (item.text.empty()) return fail(Errc::invalid, "holds an empty string");
    out.push_back(item.text);
  }
  return Value(std::move(out));
}

std::string wanted(OptionKind kind) {
  switch (kind) {
    case OptionKind::boolean:
      return "true or false";
    case OptionKind::integer:
      return "an integer";
    case OptionKind::number:
      return "a number";
    case OptionKind::duration:
      return "a duration such as \"90s\"";
    case OptionKind::size:
      return "a size such as \"64KiB\"";
    case OptionKind::mode:
      return "a file mode such as \"0660\"";
    case OptionKind::list:
      return "an array of strings";
    default:
      return "a string";
  }
}

bool is_written_as_text(OptionKind kind) {
  return kind != OptionKind::boolean && kind != OptionKind::integer && kind != OptionKind::number &&
         kind != OptionKind::list;
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string_view>& words) {
  auto near = closest(word, words);
  return near ? fmt::format("; did you mean {}?", quoted(*near)) : std::string();
}

Result<void> check_word(std::string_view word, const std::vector<std::string_view>& words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return {};
  return fail(Errc::invalid, fmt::format("{} is not one of {}{}", quoted(word),
                                         fmt::join(words, ", "), suggestion(word, words)));
}

Result<Value> read_value(const OptionRow& row, std::string_view text) {
  switch (row.kind) {
    case OptionKind::text:
      return read_text(text);
    case OptionKind::secret:
      return Value(Secret(std::string(text)));
    case OptionKind::path:
      return read_path(text);
    case OptionKind::url:
      return read_url(text);
    case OptionKind::boolean:
      return read_boolean(text);
    case OptionKind::integer:
      return read_integer(row, text);
    case OptionKind::number:
      return read_number(text);
    case OptionKind::duration:
      return read_duration(text);
    case OptionKind::size:
      return read_size(text);
    case OptionKind::choice:
      return read_choice(row, text);
    case OptionKind::list:
      return read_list(text);
    case OptionKind::mode:
      return read_mode(text);
  }
  return fail(Errc::unsupported, "no such kind of option");
}

Result<Value> read_value(const OptionRow& row, const Node& node) {
  if (node.kind == Node::Kind::text && is_written_as_text(row.kind)) {
    return read_value(row, node.text);
  }
  if (node.kind == Node::Kind::boolean && row.kind == OptionKind::boolean) return Value(node.flag);
  if (node.kind == Node::Kind::array && row.kind == OptionKind::list) return read_list(node);
  if (node.kind == Node::Kind::integer && row.kind == OptionKind::integer) {
    return ranged(row, node.integer);
  }
  if (row.kind == OptionKind::number &&
      (node.kind == Node::Kind::integer || node.kind == Node::Kind::number)) {
    double value =
        node.kind == Node::Kind::number ? node.number : static_cast<double>(node.integer);
    return read_number(fmt::format("{}", value));
  }
  return fail(Errc::invalid,
              fmt::format("expected {}, got {}", wanted(row.kind), kind_name(node.kind)));
}

Result<Listen> parse_listen(std::string_view text) {
  std::size_t colon = text.rfind(':');
  auto port = colon == text.npos ? std::nullopt : parse_integer(text.substr(colon + 1), 0, 65535);
  std::string_view address = text.substr(0, port ? colon : 0);
  bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  bool six = address.find(':') != address.npos;
  if (!port || (six && !bracketed) || has_control(address)) {
    return fail(Errc::invalid, quoted(text) + " is not \"address:port\"");
  }
  bool loopback =
      address == "::1" || address == "localhost" ||
      (address.starts_with("127.") && address.find_first_not_of("0123456789.") == address.npos);
  return Listen{std::string(address), static_cast<int>(*port), loopback};
}

}  // namespace checkrelay
