// A destination's row as FORMAT.md has it: the runs behind its cursor as bytes, and its checksum.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "spool/store.h"

namespace checkrelay {

constexpr unsigned kDoneKeyShift = 50;  // the key of a DoneChunk: lane, then number

[[nodiscard]] std::string pack_runs(const LaneSaved& saved);
void unpack_runs(std::string_view bytes, LaneSaved& saved);  // up to the first that is torn

// Whether the name was lost: the lane waits for a destination of the configuration to claim it.
[[nodiscard]] inline bool is_orphan(const std::string& name) { return name.starts_with('?'); }

// Over what else is in the row.
[[nodiscard]] std::uint32_t lane_checksum(const LaneRow& row, std::string_view runs);

}  // namespace checkrelay
