// The one thing that everything here is about: a passive check result, by the Nagios plugin
// guidelines. Plain values, no I/O. Public keys and limits: the table "A check result" in README
// and docs.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

constexpr std::size_t kMaxName = 255;  // bytes, host and service each
constexpr std::size_t kMaxId = 64;     // bytes

// A host, or a service on a host (service not empty).
struct Subject {
  std::string host{};
  std::string service{};
  [[nodiscard]] bool is_host() const { return service.empty(); }
  auto operator<=>(const Subject&) const = default;
};
[[nodiscard]] std::string to_string(const Subject& s);  // "host" or "host;service", for people

// Service: OK 0, WARNING 1, CRITICAL 2, UNKNOWN 3. Host: UP 0, DOWN 1, UNREACHABLE 2.
using State = std::uint8_t;
// A code or a name in any case; names and range depend on what the subject is. The error carries
// the fragment.
[[nodiscard]] Result<State> parse_state(std::string_view text, bool host);
[[nodiscard]] Result<State> state_from_code(long long code, bool host);
[[nodiscard]] std::string_view state_name(State state, bool host);

struct CheckResult {
  Subject subject{};
  State state = 0;
  std::string output{};    // UTF-8, may hold several lines, no perfdata
  std::string perfdata{};  // verbatim
  Wall time{};       // when the check was made; Wall{} = when received (admission fills it in)
  Wall received{};   // set by admission
  std::string id{};  // empty = admission makes one
  Duration ttl{};    // 0 = no promise to report again
  std::string check_source{};  // who made the check
  bool start = false;          // announces a run of this id; nothing is reported yet
  bool operator==(const CheckResult&) const = default;
};

// Host and service: length, no control characters but tab and newline, valid UTF-8. `field` names
// it in the error.
[[nodiscard]] Result<void> check_name(std::string_view field, std::string_view name);
// Everything that must hold of a result that is accepted. An empty host is an error here: fill in
// defaults first.
[[nodiscard]] Result<void> validate(const CheckResult& r);

// Takes a plugin's whole text apart (guidelines, "Plugin Output": text before the first '|' of the
// first line is output, behind it perfdata; later lines are long output until a '|', then perfdata
// to the end, joined by blanks).
void split_plugin_output(std::string_view text, std::string& output, std::string& perfdata);

}  // namespace checkrelay
