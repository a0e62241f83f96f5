// From how a plugin ended to a check result. Pure. By the Nagios plugin guidelines ("Plugin Output
// for Nagios", "Plugin Return Codes"): exit status 0 to 3 is the state, standard output the text
// and, behind the pipe, performance data.
//
// A plugin speaks on standard output. One that says nothing there, or ends in any other way (a
// status above 3, a signal, the timeout, a flood, not at all) has not made its check: UNKNOWN with
// the reason in words and what it had printed, for which standard error counts where standard
// output is empty. A host check (no service) is UP with 0, else DOWN: a host has no UNKNOWN.
#pragma once

#include "agent/base/child.h"
#include "agent/model/check_result.h"

namespace checkrelay {

struct PluginRun {
  const Subject& subject;
  const ChildCommand& command;
  Wall ended{};
};

// All but id and ttl. Output and perfdata together are valid UTF-8 and not longer than
// `command.keep`; `mended` grows by the sequences that were not UTF-8.
[[nodiscard]] CheckResult plugin_result(const PluginRun& run, const ChildOutcome& outcome,
                                        std::uint64_t& mended);

constexpr std::string_view kPluginSource = "checkrelay check";  // check_source of each

}  // namespace checkrelay
