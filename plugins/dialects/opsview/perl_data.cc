// Perl data: what Data::Dumper writes (perldoc Data::Dumper; literals by perldoc perldata).
#include "agent/base/text.h"
#include "plugins/dialects/opsview/tree_reader.h"

namespace checkrelay::opsview {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_numeric(char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; }

class PerlReader : public TreeReader {
 public:
  explicit PerlReader(std::string_view text) : TreeReader(text, "Perl data", "=>") {}

 protected:
  void prologue() override {
    if (!take("$VAR1")) return;
    skip_blanks();
    static_cast<void>(take("="));  // or the value's own error follows
  }
  void epilogue() override { static_cast<void>(take(";")); }

  Result<std::string> key() override {
    if (peek() == '\'' || peek() == '"') return string();
    const std::string_view word = run(is_word);
    if (word.empty()) return wrong("a key was expected");
    return std::string(word);
  }

  Result<Data> scalar() override {
    if (peek() == '\'' || peek() == '"') {
      auto text = string();
      if (!text) return tl::unexpected(text.error());
      return Data::text(*text);
    }
    if (is_numeric(peek())) {
      const std::string_view number = run(is_numeric);
      if (!parse_number(number)) return wrong("a number was expected before");
      return Data::text(number);
    }
    if (take("undef") && !is_word(peek())) return Data{};
    return wrong("a literal was expected");
  }

 private:
  Result<std::string> string() { return take("'") ? single_quoted() : double_quoted(); }

  Result<std::string> single_quoted() {
    std::string out;
    while (true) {
      out += run([](char c) { return c != '\'' && c != '\\'; });
      if (take("'")) return out;
      if (done()) return wrong("the string has no end");
      skip(1);  // a backslash, which quotes itself and the quote alone
      if (peek() != '\'' && peek() != '\\') {
        out += '\\';
        continue;
      }
      out += peek();
      skip(1);
    }
  }

  Result<std::string> double_quoted() {
    skip(1);
    std::string out;
    while (true) {
      out += run([](char c) { return c != '"' && c != '\\' && c != '$' && c != '@'; });
      if (take("\"")) return out;
      if (done()) return wrong("the string has no end");
      if (!take("\\")) return wrong("nothing is interpolated");
      if (auto escaped = escape(out); !escaped) return tl::unexpected(escaped.error());
    }
  }

  Result<void> escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\$@nrtabfe'";
    constexpr std::string_view kMeant = "\"\\$@\n\r\t\a\b\f\x1b'";
    if (take("x{")) {
      auto code = hex(1, 6);
      if (!code) return tl::unexpected(code.error());
      if (!take("}")) return wrong("'}' was expected");
      append_utf8(out, *code);
      return {};
    }
    if (take("x")) {
      auto code = hex(1, 2);
      if (!code) return tl::unexpected(code.error());
      append_utf8(out, *code);
      return {};
    }
    const std::size_t at = done() ? std::string_view::npos : kNames.find(peek());
    if (at == std::string_view::npos) return wrong("no such escape");
    out += kMeant[at];
    skip(1);
    return {};
  }
};

void write(const Data& data, std::string& out);

void write_text(std::string_view text, std::string& out) {
  out += '\'';
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  out += '\'';
}

void write_items(const Data& data, std::string& out) {
  for (std::size_t i = 0; i < data.items.size(); ++i) {
    if (i > 0) out += ',';
    if (data.is_map()) {
      write_text(data.keys[i], out);
      out += " => ";
    }
    write(data.items[i], out);
  }
}

void write(const Data& data, std::string& out) {
  if (data.kind == Data::Kind::null) {
    out += "undef";
  } else if (data.kind == Data::Kind::text) {
    write_text(data.value, out);
  } else {
    out += data.is_map() ? '{' : '[';
    write_items(data, out);
    out += data.is_map() ? '}' : ']';
  }
}

}  // namespace

Result<Data> parse_perl(std::string_view text) { return PerlReader(text).read(); }

std::string to_perl(const Data& data) {
  std::string out;
  write(data, out);
  return out;
}

}  // namespace checkrelay::opsview
