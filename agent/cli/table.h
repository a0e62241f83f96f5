// Aligned columns in plain ASCII for people. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace checkrelay {

// Foreign text for a terminal: one line, control characters as blanks, at most `width` characters.
[[nodiscard]] std::string plain(std::string_view text, std::size_t width);

class Table {
 public:
  // A heading that begins with '>' is of numbers: aligned to the right, without the mark.
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace checkrelay
