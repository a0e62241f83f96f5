// Rows out of a page of an SQLite database, without SQLite and without trust: for a database that
// SQLite calls corrupt. Layout: "Database File Format" of the SQLite documentation, sections 1.6
// (pages, cells, overflow), 1.8 (pointer maps) and 2.1 (records); pages of 4096 bytes that reserve
// none, text in UTF-8. Pure. Whatever the bytes are, the effort is bounded by them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace checkrelay {

constexpr std::size_t kPageBytes = 4096;

struct StoredValue {
  enum class Type { null, integer, text, blob, other };
  Type type = Type::null;
  std::int64_t number = 0;
  std::string_view bytes{};  // what there is of it
};

struct StoredRow {
  bool has_rowid = false;
  std::int64_t rowid = 0;
  std::vector<StoredValue> values{};  // valid during the call
};

// A page by its number; empty where there is none.
using PageFetch = std::function<std::string(std::uint32_t number)>;

// Calls `row` for each row of a page of a table or an index; rows that make no sense are left out,
// the last value of one whose end cannot be read is as short as it is. Pages of other kinds have
// none.
void read_rows(std::string_view page, std::uint32_t number, const PageFetch& fetch,
               const std::function<void(const StoredRow&)>& row);

// Of a database with auto_vacuum: the page that says what page `number` is for, and what it says.
[[nodiscard]] std::uint32_t pointer_map_of(std::uint32_t number);
[[nodiscard]] bool says_free(std::string_view pointer_map, std::uint32_t number);

}  // namespace checkrelay
