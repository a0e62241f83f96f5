// The [heartbeat] section: the agent's own service at every destination. Without it there is none.
#pragma once

#include <optional>
#include <span>

#include "agent/config/config.h"
#include "agent/config/reader.h"
#include "agent/policy/heartbeat.h"

namespace checkrelay {

[[nodiscard]] std::span<const OptionRow> heartbeat_rows();
// None where the section is not there. `agent`: already read, hostname and all.
[[nodiscard]] std::optional<Options> read_heartbeat(Reader& reader, const Node& root,
                                                    const Options& agent);
// Of options that were read without a fault. `limits`: shares of max_queue become bytes.
[[nodiscard]] HeartbeatOptions heartbeat_options(const Options& heartbeat, const Options& limits);

}  // namespace checkrelay
