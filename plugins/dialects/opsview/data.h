// The values that Opsview's API exchanges: maps, lists and texts, whatever the format they travel
// in. Scalars are texts in every format, since Opsview writes numbers as strings and takes both.
// Pure; input is hostile: bounded depth and number of values, an error with the fragment.
// Source: "Opsview REST API" (docs.opsview.com), "Data exchange".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace checkrelay::opsview {

constexpr unsigned kDeepest = 32;            // maps and lists within each other
constexpr std::size_t kMostValues = 20'000;  // of one document
constexpr std::size_t kMostMembers = 1'000;  // of one map

struct Data {
  enum class Kind { null, text, list, map };
  Kind kind = Kind::null;
  std::string value{};              // text
  std::vector<std::string> keys{};  // map: one an item
  std::vector<Data> items{};        // list, map

  [[nodiscard]] static Data text(std::string_view value);
  [[nodiscard]] static Data map();
  [[nodiscard]] static Data list();
  Data& add(std::string key,
            Data item);  // of a map; a key that is there is replaced. Returns *this
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  // The item of that name, or nullptr.
  [[nodiscard]] const Data* find(std::string_view key) const;
  // The text of that name; empty where there is none or it is no text.
  [[nodiscard]] std::string_view text_of(std::string_view key) const;
  bool operator==(const Data&) const = default;
};

// JSON as JSON::XS reads it when "relaxed": commas may end a list, `#` begins a comment.
[[nodiscard]] Result<Data> parse_json(std::string_view text);
// Perl literals as Data::Dumper writes them, with or without `$VAR1 =`: strings in single quotes,
// in double quotes without interpolation, numbers, undef, {} and []. Nothing is evaluated; whatever
// is no literal is an error.
[[nodiscard]] Result<Data> parse_perl(std::string_view text);
// XML as XML::Simple reads it: attributes and children are members, what is repeated is a list; a
// lone `data` below the root is what is meant. A DOCTYPE is an error.
[[nodiscard]] Result<Data> parse_xml(std::string_view text);

[[nodiscard]] std::string to_json(const Data& data);
[[nodiscard]] std::string to_perl(const Data& data);
[[nodiscard]] std::string to_xml(const Data& data);

}  // namespace checkrelay::opsview
