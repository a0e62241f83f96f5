// What is kept of planned outages over a restart: the last list of each source, as one block of
// bytes; spool/FORMAT.md is the document.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/planned_outage.h"

namespace checkrelay {

struct KeptOutages {
  std::string source{};  // its name in the configuration
  std::string type{};
  Wall fetched{};  // by the source, as it was last there
  std::vector<PlannedOutage> outages{};
  bool operator==(const KeptOutages&) const = default;
};

[[nodiscard]] std::string pack_outages(const std::vector<KeptOutages>& kept);
// corrupt: it is none, or not as it was written; unsupported: a newer version. Total; memory is
// bounded by the size of `bytes`.
[[nodiscard]] Result<std::vector<KeptOutages>> unpack_outages(std::string_view bytes);

}  // namespace checkrelay
