// A TOML document as a plain tree in which every node knows its line. document.cc is the only file
// that knows toml++.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace checkrelay {

struct Node {
  enum class Kind { text, integer, number, boolean, date, array, table };
  Kind kind = Kind::table;
  int line = 0;               // where it is written, 1-based; 0 where TOML leaves it implicit
  std::string key{};          // within a table
  std::string text{};         // text
  long long integer = 0;      // integer
  double number = 0;          // number
  bool flag = false;          // boolean
  std::vector<Node> items{};  // array: in order; table: by line, each with its key

  [[nodiscard]] const Node* find(std::string_view name) const;  // of a table; nullptr where absent
};

// "a string", "an integer", … for messages.
[[nodiscard]] std::string_view kind_name(Node::Kind kind);

struct Document {
  Node root{};
  std::string error{};  // not empty: no valid TOML, `root` is empty
  int error_line = 0;
};
// Any bytes in; never throws.
[[nodiscard]] Document parse_document(std::string_view text);

}  // namespace checkrelay
