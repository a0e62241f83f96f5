// Small text helpers that every layer needs. All are pure and total: any bytes in, no exceptions
// but bad_alloc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace checkrelay {

// `raw` in double quotes, control bytes and invalid UTF-8 escaped as \xNN, cut to about `limit`
// bytes with "…". What every error text uses to show a fragment of foreign input.
[[nodiscard]] std::string quoted(std::string_view raw, std::size_t limit = 60);

[[nodiscard]] bool is_valid_utf8(std::string_view text);
// Replaces what is not UTF-8 by U+FFFD, one for each maximal bad sequence (Unicode 15,
// section 3.9). Returns how many were replaced; valid text is left alone.
std::size_t make_valid_utf8(std::string& text);
// The longest prefix of at most `limit` bytes that ends on a character boundary.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t limit);

[[nodiscard]] std::string_view trimmed(
    std::string_view text);  // ASCII blanks and line ends, both sides
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII
[[nodiscard]] std::string lower(std::string_view text);                           // ASCII

// Shell-like pattern over the whole text: '*', '?', '[a-z]', '[!a]', '\' quotes. Linear in
// practice, never exponential.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);

// The candidate a person probably meant (edit distance at most 2, or a unique prefix), for "did you
// mean".
[[nodiscard]] std::optional<std::string_view> closest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

// "64KiB", "4GiB", "1.5MB", "512" (bytes). Never negative; at most 2^62.
[[nodiscard]] Result<std::size_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::size_t bytes);

// A decimal integer that is the whole text, within [low, high].
[[nodiscard]] std::optional<long long> parse_integer(std::string_view text, long long low,
                                                     long long high);
// A finite decimal number that is the whole text.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);

// Compares secrets in time that depends on the length of `given` alone.
[[nodiscard]] bool same_secret(std::string_view given, std::string_view expected);

}  // namespace checkrelay
