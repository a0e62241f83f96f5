// The [[check]] tables: plugins that the agent runs by itself.
#pragma once

#include <string>
#include <vector>

#include "agent/base/account.h"
#include "agent/base/child.h"
#include "agent/config/config.h"
#include "agent/config/reader.h"
#include "agent/policy/runs.h"

namespace checkrelay {

// `hostname`: whose checks they are where a table names no host.
[[nodiscard]] std::vector<CheckConfig> read_checks(Reader& reader, const Node& root,
                                                   const std::string& hostname);
[[nodiscard]] std::span<const OptionRow> check_rows();  // without host, service and command

[[nodiscard]] Subject subject_of(const CheckConfig& check);
// Of a check that passed its reader.
[[nodiscard]] RunTiming run_timing(const CheckConfig& check);
// What is run, by somebody who is `self`; `keep` bytes of output count. refused: `self` cannot
// become the user that the check names, or there is none of this name (any more).
[[nodiscard]] Result<ChildCommand> child_command(const CheckConfig& check, const Account& self,
                                                 std::size_t keep);

}  // namespace checkrelay
