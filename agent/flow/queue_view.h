// What the operator sees of the queue, as JSON. The journal keeps opaque records; here they are
// read.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/port/journal.h"

namespace checkrelay {

using LaneNames = std::function<std::string(LaneId)>;

// "pending", "dead", "delivered"; empty = any. None where it is another word.
[[nodiscard]] std::optional<BrowseQuery::What> browse_what(std::string_view state);
// Pure, for any thread. Glob patterns; empty = all. An empty function where both are.
[[nodiscard]] std::function<bool(const std::string&)> subject_filter(std::string host,
                                                                     std::string service);
[[nodiscard]] std::string queue_json(const BrowsePage& page, const LaneNames& name);
// REQUIRES: the page holds one record's rows, a row a destination, and its story.
[[nodiscard]] std::string story_json(const BrowsePage& page, const LaneNames& name);

}  // namespace checkrelay
