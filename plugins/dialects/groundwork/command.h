// What an operator asks a GroundWork server for, words <-> requests and answers. Pure. Sources as
// in wire.h; where they disagree on an answer's shape every one of them is read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/port/message.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {

struct Command {
  enum class Verb { list, get, remove, rename, complete, filter };
  Verb verb = Verb::list;
  std::vector<std::string> names{};  // hosts; rename: old and new; complete: one prefix, which may
                                     // be empty; filter: host groups
  std::string options{};             // list: what its query has, encoded
};

// `hosts list|get|delete|rename|complete|filter …`. The error says what there is.
[[nodiscard]] Result<Command> parse_command(std::span<const std::string> words);

// The request for it, without headers; its target is below the API's root. `attempt` counts from 0:
// groups are filtered by at one of two paths, the document's and the server's.
[[nodiscard]] Message command_request(const Command& command, Format format, std::size_t attempt);
[[nodiscard]] std::size_t attempts_of(const Command& command);

// The good answer's body as the JSON that the operator gets: a list is an array, names are texts.
// refused: the server did not do all of it, and why.
[[nodiscard]] Result<std::string> read_answer(const Command& command, const std::string& body,
                                              std::string_view content_type);

// What it means that nothing is there (404): an empty list, or none where a host was named.
[[nodiscard]] std::optional<std::string> nothing_found(const Command& command);

}  // namespace checkrelay::groundwork
