// A destination's row as FORMAT.md has it: the runs behind its cursor as bytes, and its checksum.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "spool/store.h"

namespace checkrelay {

// The key of a DoneChunk: those of one lane are together.
constexpr unsigned kDoneKeyShift = 50;
[[nodiscard]] constexpr std::uint64_t key_of_done(LaneId lane, std::uint64_t number) {
  return std::uint64_t{lane} << kDoneKeyShift | number;
}
[[nodiscard]] std::uint32_t done_checksum(LaneId lane, const DoneChunk& chunk);

[[nodiscard]] std::string pack_runs(const LaneSaved& saved);
void unpack_runs(std::string_view bytes, LaneSaved& saved);  // up to the first that is torn

// Whether the name was lost: nobody can say for whom the results of the lane are.
[[nodiscard]] inline bool is_orphan(const std::string& name) { return name.starts_with('?'); }

// The name and the pause a second time, for the table `meta`, so that results whose row is lost
// find the destination they are meant for.
struct LaneName {
  LaneId lane = 0;
  std::string name{};
  std::optional<Wall> paused{};
};
[[nodiscard]] std::string lane_name_key(LaneId lane);
[[nodiscard]] std::string pack_lane_name(const LaneRow& row);
[[nodiscard]] bool is_lane_name(std::string_view key);
// Nothing where its checksum is wrong.
[[nodiscard]] std::optional<LaneName> read_lane_name(std::string_view key, std::string_view value);

// Over what else is in the row.
[[nodiscard]] std::uint32_t lane_checksum(const LaneRow& row, std::string_view runs);

}  // namespace checkrelay
