// One JSON object -> one check result (RFC 8259, strict). Text that is not UTF-8 is mended in
// output and perfdata and refused in names. Any thread; each keeps one parser, whose memory is a
// small multiple of the longest line so far.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay::native {

// `mended` grows by the number of replaced sequences.
[[nodiscard]] Result<CheckResult> decode_json(std::string_view text, std::size_t& mended);

// True where `text` begins with an object (or list) that ends at its end, blanks aside. By brackets
// alone.
[[nodiscard]] bool is_one_json_value(std::string_view text);

// Hands each element of the list that `text` is to `take`, with its number from 1, cut out by
// brackets alone, so that a faulty element leaves its neighbours whole. `take` returns false to
// stop. An error is one of the list itself, behind the elements that were handed out.
[[nodiscard]] Result<void> split_json_list(
    std::string_view text, const std::function<bool(std::string_view, std::size_t)>& take);

}  // namespace checkrelay::native
