// The two text forms that the Nagios family has used since ever.
//
// External commands (Nagios Core, "External Commands"): [epoch]
// PROCESS_SERVICE_CHECK_RESULT;host;service;code;output and [epoch]
// PROCESS_HOST_CHECK_RESULT;host;code;output. Where Nagios turns a service code outside 0-3 into
// UNKNOWN, it is refused here: whoever sent it hears of it. What send_nsca reads: host TAB service
// TAB code TAB output, or host TAB code TAB output; empty fields count, blanks at the end do not.
//
// In the output of both, \n stands for a newline and \\ for a backslash, and perfdata is split off
// as in a plugin's text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay::native {

constexpr char kSetEnd = '\x17';  // ETB: how send_nsca separates sets

// `line` is without its end. `mended` grows by the number of replaced UTF-8 sequences in the
// output.
[[nodiscard]] Result<CheckResult> decode_command(std::string_view line, std::size_t& mended);
[[nodiscard]] Result<CheckResult> decode_nsca(std::string_view line, std::size_t& mended);

}  // namespace checkrelay::native
