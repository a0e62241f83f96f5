// Bundles as files (agent/port/bundle.h).
#pragma once

#include "agent/port/bundle.h"
#include "spool/bundle.h"

namespace checkrelay {

// The file grows beside its place, under a name that begins with a dot. refused: `file` is there
// already.
[[nodiscard]] Result<std::unique_ptr<BundleWriter>> create_bundle(const std::string& file,
                                                                  const Secret& passphrase,
                                                                  Wall now);
[[nodiscard]] Result<std::unique_ptr<BundleReader>> open_bundle(const std::string& file,
                                                                const Secret& passphrase);

}  // namespace checkrelay
