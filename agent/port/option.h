// An option is a row: parsing, validation, `check --defaults`, the sample file and redaction all
// read the same row.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/base/secret.h"
#include "agent/base/time.h"

namespace checkrelay {

enum class OptionKind {
  text,
  secret,  // text that is never shown; NAME_file may stand for it and names a file whose first line
           // it is
  path,    // text; absolute
  url,     // text; http or https, a host, no user or password inside
  boolean,
  integer,   // `low` to `high`
  number,    // not negative
  duration,  // "90s"; a bare number is an error that says so
  size,      // "64KiB"
  choice,    // one of `choices`
  list,      // of text
  mode,      // octal text, "0660"
};

struct OptionRow {
  std::string_view name{};
  OptionKind kind = OptionKind::text;
  std::string_view fallback{};  // as written in the file, without quotes; "" = none
  std::string_view doc{};       // one line
  bool required = false;
  std::string_view choices{};  // "all|latest"
  long long low = 0;
  long long high = 1'000'000'000;
};

// Values that passed their rows: every row with a fallback is present, so a getter of such a row
// cannot fail. Absent rows read as an empty text, false, zero.
class Options {
 public:
  using Value = std::variant<std::string, Secret, bool, long long, double, Duration,
                             std::vector<std::string>>;
  void set(std::string_view name, Value value) {
    values_.insert_or_assign(std::string(name), std::move(value));
  }
  [[nodiscard]] bool has(std::string_view name) const {
    return values_.find(name) != values_.end();
  }
  [[nodiscard]] std::string text(std::string_view name) const { return get<std::string>(name); }
  [[nodiscard]] Secret secret(std::string_view name) const { return get<Secret>(name); }
  [[nodiscard]] bool flag(std::string_view name) const { return get<bool>(name); }
  [[nodiscard]] long long integer(std::string_view name) const {
    return get<long long>(name);
  }  // sizes and modes too
  [[nodiscard]] double number(std::string_view name) const { return get<double>(name); }
  [[nodiscard]] Duration duration(std::string_view name) const { return get<Duration>(name); }
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const {
    return get<std::vector<std::string>>(name);
  }
  bool operator==(const Options&) const = default;

 private:
  template <typename T>
  [[nodiscard]] T get(std::string_view name) const {
    auto it = values_.find(name);
    if (it == values_.end()) return T{};
    const T* v = std::get_if<T>(&it->second);
    return v ? *v : T{};
  }
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace checkrelay
