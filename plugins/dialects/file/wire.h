// A line of the destination `file`: one JSON object with a check result's public keys, then
// `received` and `destination`. Every line has every key. Times are epoch seconds with up to six
// decimals, `ttl` is in seconds.
#pragma once

#include <string>
#include <string_view>

#include "agent/model/check_result.h"

namespace checkrelay::file {

void append_line(std::string& out, const CheckResult& r, std::string_view destination);

}  // namespace checkrelay::file
