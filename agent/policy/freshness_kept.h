// What freshness keeps over a restart, as bytes: a note a subject, and one for the site.
// spool/FORMAT.md is the document. Pure; reading is total.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/policy/freshness.h"

namespace checkrelay {

struct KeptSite {
  Duration shift{};  // of the wall clock against even time
  Second last = 0;   // even: the last reading of the clock
  std::vector<GroupRecord> groups{};
  bool operator==(const KeptSite&) const = default;
};

[[nodiscard]] std::string encode_subject(const FreshnessRecord& record);
[[nodiscard]] std::string encode_site(const KeptSite& site);
// corrupt: not as it was written; unsupported: a newer version.
[[nodiscard]] Result<FreshnessRecord> decode_subject(std::string_view bytes);
[[nodiscard]] Result<KeptSite> decode_site(std::string_view bytes);

}  // namespace checkrelay
