// What JSON and Perl literals have in common: maps in braces, lists in brackets, a comma between
// items and one allowed behind the last. Scalars and keys are the format's own.
#pragma once

#include <string>
#include <string_view>

#include "plugins/dialects/opsview/data.h"

namespace checkrelay::opsview {

class TreeReader {
 public:
  // `format` names it in errors; `arrow` stands between a key and its value.
  TreeReader(std::string_view text, std::string_view format, std::string_view arrow)
      : text_(text), format_(format), arrow_(arrow) {}
  virtual ~TreeReader() = default;
  [[nodiscard]] Result<Data> read();  // one value is the whole text

 protected:
  [[nodiscard]] virtual Result<Data> scalar() = 0;
  [[nodiscard]] virtual Result<std::string> key() = 0;
  virtual void prologue() {}
  virtual void epilogue() {}

  void skip_blanks();  // comments too
  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  void skip(std::size_t n) { at_ += n; }
  [[nodiscard]] bool take(std::string_view token);  // where it is next
  // The run of characters that `wanted` holds for.
  template <typename F>
  std::string_view run(F wanted) {
    const std::size_t from = at_;
    while (!done() && wanted(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  [[nodiscard]] tl::unexpected<Error> wrong(std::string_view why) const;
  // Four or fewer hex digits from here on; none where they are none.
  [[nodiscard]] Result<unsigned> hex(std::size_t fewest, std::size_t most);

 private:
  [[nodiscard]] Result<Data> value(unsigned depth);
  [[nodiscard]] Result<Data> list(unsigned depth);
  [[nodiscard]] Result<Data> map(unsigned depth);
  [[nodiscard]] Result<void> member(Data& map, unsigned depth);
  [[nodiscard]] Result<bool> ended(char bracket);  // behind an item

  std::string_view text_;
  std::string_view format_;
  std::string_view arrow_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

// RFC 3629; U+FFFD for what is no character.
void append_utf8(std::string& out, unsigned code);

}  // namespace checkrelay::opsview
