// Log lines: an event in a few words, then key=value fields (or one JSON object a line). The only
// file that knows spdlog is log.cc. Asynchronous: a blocked stderr never blocks the loop; what is
// then lost is counted.
//
//   log(Level::warn, "result refused", {{"intake", where}, {"error", what}});
//
// Any thread. Values are quoted where needed and cut at 1 KiB. Never pass a secret: Secret does not
// convert.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

enum class Level { trace, debug, info, warn, error };
[[nodiscard]] Result<Level> parse_level(std::string_view name);

struct Field {
  std::string_view key;
  std::string value;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  Field(std::string_view k, double v);
  template <typename T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Field(std::string_view k, T v)
      : key(k), value(std::to_string(v)) {}
};

// Before the first call log() writes text of level info and above to stderr, synchronously.
void start_log(Level level, bool json);
void set_log_level(Level level);
void stop_log();  // flushes; call before the process ends
[[nodiscard]] bool log_enabled(Level level);
void log(Level level, std::string_view event, std::initializer_list<Field> fields = {});
[[nodiscard]] std::uint64_t log_lines_lost();

// At most one line in `every`, for what a peer can cause at will; the line that gets through says
// how many did not.
class LogGate {
 public:
  explicit LogGate(Duration every = std::chrono::seconds(10)) : every_(every) {}
  // True where a line may be written now; then `suppressed` is how many were held back since the
  // last one.
  [[nodiscard]] bool open(Instant now, std::uint64_t& suppressed);

 private:
  Duration every_;
  Steady next_{};
  std::uint64_t held_ = 0;
};

}  // namespace checkrelay
