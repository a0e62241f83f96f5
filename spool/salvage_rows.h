// What a row found on a page of a damaged journal is, told by its shape: no two tables of the
// journal have the same. Pure; views point into the row.
#pragma once

#include <optional>
#include <string_view>

#include "spool/btree_page.h"
#include "spool/lane_row.h"
#include "spool/store.h"

namespace checkrelay {

struct FoundLog {
  LogRow row{};  // without its lanes
  std::string_view data{};
};
struct FoundDone {
  LaneId lane = 0;
  DoneChunk chunk{};
};
struct FoundId {
  std::string_view id{};
  Seq seq = 0;
  Wall at{};
};

[[nodiscard]] std::optional<FoundLog> log_of(const StoredRow& row);
[[nodiscard]] std::optional<AsideRow> aside_of(const StoredRow& row);
[[nodiscard]] std::optional<TrailRow> trail_of(const StoredRow& row);
[[nodiscard]] std::optional<NoteRow> notes_of(const StoredRow& row);
[[nodiscard]] std::optional<LaneRow> lane_of(const StoredRow& row);    // its checksum is right
[[nodiscard]] std::optional<FoundDone> done_of(const StoredRow& row);  // likewise
[[nodiscard]] std::optional<FoundId> id_of(const StoredRow& row);
[[nodiscard]] std::optional<std::string_view> hash_key_of(const StoredRow& row);
[[nodiscard]] std::optional<LaneName> lane_name_of(const StoredRow& row);  // likewise

}  // namespace checkrelay
