// The [[destination]] tables: common rows, the carrier's and the dialect's, and whether the dialect
// can be built from them.
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/config/reader.h"

namespace checkrelay {

[[nodiscard]] std::vector<DestinationConfig> read_destinations(Reader& reader, const Node& root,
                                                               const Registry& registry);
// Every row that a destination of this type has, in the order in which the sample shows them; each
// name once.
[[nodiscard]] std::vector<OptionRow> rows_of_destination(const Dialect& dialect,
                                                         const Registry& registry);
// What a dialect's traits say where the configuration says nothing; as a row's fallback would be
// written.
struct TraitDefault {
  std::string_view row{};
  std::string text{};
};
[[nodiscard]] std::vector<TraitDefault> trait_defaults(const OutboundTraits& traits);

}  // namespace checkrelay
