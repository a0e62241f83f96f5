// The outward half: fetching the list, and the operator's commands.
#pragma once

#include <memory>

#include "agent/port/outage_source.h"
#include "plugins/dialects/opmantek/wire.h"

namespace checkrelay::opmantek {

[[nodiscard]] std::unique_ptr<OutageSource> make_source(Settings settings);

// "outages create --node sw1 --start …" taken apart.
struct Command {
  enum class Verb { test, list, get, create, update, remove };
  Verb verb = Verb::test;
  std::string id{};  // get update remove
  Wish wish{};       // create update
};
[[nodiscard]] Result<Command> parse_command(std::span<const std::string> words);

}  // namespace checkrelay::opmantek
