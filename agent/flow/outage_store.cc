#include "agent/flow/outage_store.h"

#include <algorithm>
#include <utility>

#include "agent/base/log.h"

namespace checkrelay {

void OutageStore::load() {
  if (!env_.kept_outages) return;
  auto bytes = env_.kept_outages();
  if (bytes && bytes->empty()) return;
  auto kept = bytes ? unpack_outages(*bytes) : tl::unexpected(bytes.error());
  if (kept) {
    kept_ = std::move(*kept);
  } else {
    log(Level::warn, "outages: what was kept cannot be read and is left out",
        {{"error", kept.error().what}});
  }
}

const KeptOutages* OutageStore::find(const std::string& source, const std::string& type) const {
  for (const KeptOutages& k : kept_)
    if (k.source == source && k.type == type) return &k;
  return nullptr;
}

void OutageStore::put(KeptOutages kept, Duration slack) {
  auto at = std::find_if(kept_.begin(), kept_.end(),
                         [&](const KeptOutages& k) { return k.source == kept.source; });
  if (at == kept_.end()) at = kept_.insert(at, KeptOutages{});
  const bool same = at->type == kept.type && at->outages == kept.outages;
  const Duration age = kept.fetched - at->fetched;
  if (same && age >= Duration{} && age < slack) return;
  *at = std::move(kept);
  write();
}

void OutageStore::retain(const std::vector<std::string>& sources) {
  const auto gone = [&](const KeptOutages& k) {
    return std::find(sources.begin(), sources.end(), k.source) == sources.end();
  };
  if (std::erase_if(kept_, gone) > 0) write();
}

void OutageStore::write() const {
  if (env_.keep_outages) env_.keep_outages(pack_outages(kept_));
}

}  // namespace checkrelay
