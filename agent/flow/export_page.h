// Pending results as they are kept, on their way from an agent to the command that exports them.
// Both ends are of one version, so this is nobody else's business. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/port/bundle.h"
#include "agent/port/journal.h"

namespace checkrelay {

struct ExportPage {
  std::vector<Parcel> parcels{};  // by seq
  bool more = false;
  Seq next = 0;  // where there is more: what to go on after
};
// A record that waits at several destinations goes along once.
[[nodiscard]] std::string encode_export(const BrowsePage& page);
[[nodiscard]] Result<ExportPage> decode_export(std::string_view bytes);

constexpr std::size_t kMaxSeqs = 1000;
// "7" or "7-12" a line, ascending or not; at most kMaxSeqs numbers in all.
[[nodiscard]] Result<std::vector<Seq>> parse_seqs(std::string_view lines);

}  // namespace checkrelay
