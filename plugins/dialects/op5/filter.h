// OP5's filter API, read only: requests and answers, bytes <-> values. Pure. Sources: the OP5
// manual's chapter on the HTTP filter API; tables, columns and the query language's strings are
// those of ITRS' monitor-ninja (orm/structure.php, lsfilter.txt).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay::op5 {

// The API below `root`, which is the server's root or its API (ends in /api).
[[nodiscard]] std::string api_url(std::string_view root);

// --- What the monitoring core says of itself
[[nodiscard]] std::string core_url(std::string_view root);
struct Core {
  std::string version{};
  std::optional<bool> takes_hosts{};  // passive checks, of any host
  std::optional<bool> takes_services{};
};
// invalid: no list with one object that tells anything of this.
[[nodiscard]] Result<Core> parse_core(std::string_view body);

// --- What it says of objects
constexpr std::size_t kMostObjects = 8;  // in one question, so that its URL stays short
// REQUIRES: 1 to kMostObjects subjects, all hosts or all services.
[[nodiscard]] std::string objects_url(std::string_view root, std::span<const Subject> subjects);
struct Object {
  Subject subject{};
  std::optional<std::int64_t> last_check{};  // epoch seconds, the server's clock
  std::optional<bool> passive{};             // it takes passive checks
};
// Rows without a name are left out. A service's host may stand as host.name or in an object. At
// most kMostRows rows are read. invalid: no list.
constexpr std::size_t kMostRows = 64;
[[nodiscard]] Result<std::vector<Object>> parse_objects(std::string_view body, bool hosts);

}  // namespace checkrelay::op5
