// Writes JSON onto a string, for hot paths: no tree, no allocation of its own. Commas are its
// business, matching begin and end the caller's. Text must be UTF-8 (see make_valid_utf8); control
// characters are escaped.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace checkrelay {

void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}  // `out` must outlive the writer
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);  // then a value
  template <std::size_t size>
  JsonWriter& key(const char (&name)[size]) {  // in the source nobody writes one to escape
    return plain_key({name, size - 1});
  }
  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(
      double value);  // shortest form that reads back the same; null where not finite
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& raw(std::string_view json);  // a ready value

 private:
  JsonWriter& open(char c);
  JsonWriter& close(char c);
  void separate();
  JsonWriter& plain_key(std::string_view name);
  std::string& out_;
  bool comma_ = false;
};

}  // namespace checkrelay
