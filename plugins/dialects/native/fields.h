// The keys of a check result, filled in from values that JSON and MessagePack both have. Every
// error names the key and shows the fragment. Source: the table "A check result" of the public
// interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay::native {

// `text` borrows from the decoder's input.
struct Value {
  enum class Kind { text, integer, number, boolean, null, list, map, other };
  Kind kind = Kind::null;
  std::string_view text{};
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
};
[[nodiscard]] std::string to_string(const Value& value);  // for errors: quoted and cut

class ResultBuilder {
 public:
  [[nodiscard]] Result<void> set(std::string_view key, const Value& value);
  // REQUIRES: what the values point to still lives. The result may lack a host: admission fills it
  // in.
  [[nodiscard]] Result<CheckResult> finish();

 private:
  struct Key;
  static const Key kKeys[];
  [[nodiscard]] static Error unknown(std::string_view key);
  [[nodiscard]] Result<void> set_host(const Value& value);
  [[nodiscard]] Result<void> set_service(const Value& value);
  [[nodiscard]] Result<void> set_state(const Value& value);
  [[nodiscard]] Result<void> set_output(const Value& value);
  [[nodiscard]] Result<void> set_perfdata(const Value& value);
  [[nodiscard]] Result<void> set_time(const Value& value);
  [[nodiscard]] Result<void> set_id(const Value& value);
  [[nodiscard]] Result<void> set_ttl(const Value& value);
  [[nodiscard]] Result<void> set_check_source(const Value& value);
  [[nodiscard]] Result<void> set_start(const Value& value);
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] Result<CheckResult> finish_start();
  [[nodiscard]] Result<State> read_state() const;

  unsigned seen_ = 0;  // a bit a key
  bool has_state_ = false;
  bool has_perfdata_ = false;
  Value state_{};  // what it means depends on whether a service follows
  std::string_view output_{};
  CheckResult result_{};
};

// Replaces what is not UTF-8 in output and perfdata. Returns how many sequences were replaced.
std::size_t mend_text(CheckResult& result);

}  // namespace checkrelay::native
