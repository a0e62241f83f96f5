// Relaxed JSON: RFC 8259, and what Perl's JSON::XS adds when it is told to be relaxed.
#include "agent/base/text.h"
#include "plugins/dialects/opsview/tree_reader.h"

namespace checkrelay::opsview {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '+' || c == '-' || c == '_';
}

class JsonReader : public TreeReader {
 public:
  explicit JsonReader(std::string_view text) : TreeReader(text, "JSON", ":") {}

 protected:
  Result<std::string> key() override { return string(); }

  Result<Data> scalar() override {
    if (peek() == '"') {
      auto text = string();
      if (!text) return tl::unexpected(text.error());
      return Data::text(*text);
    }
    const std::string_view before = rest();
    const std::string_view word = run(is_word);
    if (word == "null") return Data{};
    if (word == "true" || word == "false") return Data::text(word == "true" ? "1" : "0");
    if (!word.empty() && before[0] != '+' && parse_number(word)) return Data::text(word);
    return wrong("a value was expected before");
  }

 private:
  Result<std::string> string() {
    if (!take("\"")) return wrong("'\"' was expected");
    std::string out;
    while (true) {
      out += run([](char c) {
        return c != '"' && c != '\\' && (static_cast<unsigned char>(c) >= ' ' || c == '\t');
      });
      if (take("\"")) return out;
      if (!take("\\")) return wrong(done() ? "the string has no end" : "a control character");
      if (auto escaped = escape(out); !escaped) return tl::unexpected(escaped.error());
    }
  }

  Result<void> escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const char c = peek();
    if (take("u")) return unicode(out);
    const std::size_t at = done() ? std::string_view::npos : kNames.find(c);
    if (at == std::string_view::npos) return wrong("no such escape");
    out += kMeant[at];
    skip(1);
    return {};
  }

  // A pair of surrogates is one character; one by itself is none.
  Result<void> unicode(std::string& out) {
    auto code = hex(4, 4);
    if (!code) return tl::unexpected(code.error());
    if (*code >= 0xD800 && *code <= 0xDBFF && rest().starts_with("\\u")) {
      skip(2);
      auto low = hex(4, 4);
      if (!low) return tl::unexpected(low.error());
      const bool pair = *low >= 0xDC00 && *low <= 0xDFFF;
      if (!pair) append_utf8(out, *code);
      append_utf8(out, pair ? 0x10000 + ((*code - 0xD800) << 10U) + (*low - 0xDC00) : *low);
      return {};
    }
    append_utf8(out, *code);
    return {};
  }
};

}  // namespace

Result<Data> parse_json(std::string_view text) { return JsonReader(text).read(); }

}  // namespace checkrelay::opsview
