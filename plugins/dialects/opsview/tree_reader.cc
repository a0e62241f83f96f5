#include "plugins/dialects/opsview/tree_reader.h"

#include <utility>

#include "agent/base/text.h"

namespace checkrelay::opsview {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

Result<Data> TreeReader::read() {
  skip_blanks();
  prologue();
  auto data = value(0);
  if (!data) return data;
  skip_blanks();
  epilogue();
  skip_blanks();
  if (!done()) return wrong("nothing more was expected");
  return data;
}

void TreeReader::skip_blanks() {
  while (!done() && (is_blank(peek()) || peek() == '#')) {
    if (peek() == '#') run([](char c) { return c != '\n'; });
    run(is_blank);
  }
}

bool TreeReader::take(std::string_view token) {
  if (!rest().starts_with(token)) return false;
  skip(token.size());
  return true;
}

tl::unexpected<Error> TreeReader::wrong(std::string_view why) const {
  return fail(Errc::invalid, std::string(format_) + ": " + std::string(why) + " at byte " +
                                 std::to_string(at_) + ": " + quoted(rest()));
}

Result<unsigned> TreeReader::hex(std::size_t fewest, std::size_t most) {
  unsigned code = 0;
  std::size_t n = 0;
  for (; n < most && digit(peek()) >= 0 && !done(); ++n, skip(1)) {
    code = code * 16 + static_cast<unsigned>(digit(peek()));
  }
  if (n < fewest) return wrong("hexadecimal digits were expected");
  return code;
}

Result<Data> TreeReader::value(unsigned depth) {
  if (++values_ > kMostValues) return wrong("too many values");
  if (depth > kDeepest) return wrong("nested too deep");
  skip_blanks();
  if (take("{")) return map(depth);
  if (take("[")) return list(depth);
  return scalar();
}

Result<bool> TreeReader::ended(char bracket) {
  skip_blanks();
  if (take(std::string_view(&bracket, 1))) return true;
  if (!take(",")) return wrong(std::string("',' or '") + bracket + "' was expected");
  skip_blanks();
  return take(std::string_view(&bracket, 1));
}

Result<Data> TreeReader::list(unsigned depth) {
  Data data = Data::list();
  skip_blanks();
  if (take("]")) return data;
  while (true) {
    auto item = value(depth + 1);
    if (!item) return item;
    data.items.push_back(std::move(*item));
    auto end = ended(']');
    if (!end) return tl::unexpected(end.error());
    if (*end) return data;
  }
}

Result<Data> TreeReader::map(unsigned depth) {
  Data data = Data::map();
  skip_blanks();
  if (take("}")) return data;
  while (true) {
    if (auto added = member(data, depth); !added) return tl::unexpected(added.error());
    auto end = ended('}');
    if (!end) return tl::unexpected(end.error());
    if (*end) return data;
  }
}

Result<void> TreeReader::member(Data& map, unsigned depth) {
  if (map.items.size() == kMostMembers) return wrong("too many members");
  auto name = key();
  if (!name) return tl::unexpected(name.error());
  skip_blanks();
  if (!take(arrow_)) return wrong("'" + std::string(arrow_) + "' was expected");
  auto item = value(depth + 1);
  if (!item) return tl::unexpected(item.error());
  map.add(std::move(*name), std::move(*item));
  return {};
}

void append_utf8(std::string& out, unsigned code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0U | code >> 6U);
    return put(0x80U | (code & 0x3FU));
  }
  if (code < 0x10000) {
    put(0xE0U | code >> 12U);
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
  }
  put(0x80U | (code >> 6U & 0x3FU));
  put(0x80U | (code & 0x3FU));
}

}  // namespace checkrelay::opsview
