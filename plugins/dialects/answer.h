// What every dialect over HTTP needs to read an answer. Pure and total.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/time.h"
#include "agent/port/message.h"

namespace checkrelay {

constexpr std::size_t kAnswerLimit = 500;  // bytes of an upstream's words that are kept
constexpr auto kLongestRetryAfter =
    std::chrono::hours(24);  // a peer may not silence a destination for longer

// The three forms of RFC 9110 section 5.6.7; the obsolete two are read, too.
[[nodiscard]] std::optional<Wall> parse_http_date(std::string_view text);

// The Retry-After of a response (RFC 9110 section 10.2.3, seconds or a date), 0 to
// kLongestRetryAfter; none where it is absent or unreadable.
[[nodiscard]] std::optional<Duration> retry_after(const Message& response, Wall now);

// Makes an upstream's words fit to be kept and shown: one line, valid UTF-8, no control characters,
// at most kAnswerLimit bytes, and the secret of `login` (plain, and as in a basic Authorization
// header) and those of the session taken out, before the cut, which would hide one's beginning.
[[nodiscard]] std::string presentable(std::string_view words, const Credentials& login,
                                      std::span<const Secret> session = {});

// RFC 4648 section 4.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace checkrelay
