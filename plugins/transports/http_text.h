// Pieces of HTTP text that need no state: responses out, Authorization in. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/port/message.h"

namespace checkrelay {

// "Basic …" (RFC 7617) or "Bearer …" (RFC 6750). Another scheme gives empty credentials. The error
// never shows what was sent.
[[nodiscard]] Result<Credentials> parse_authorization(std::string_view value);
[[nodiscard]] Result<std::string> decode_base64(
    std::string_view text);  // RFC 4648 section 4, padded

struct ResponseShape {
  bool omit_body = false;  // it answers HEAD
  bool close = false;      // the connection ends after it
  bool http10 = false;     // then staying open has to be said
};
// The whole response with Date, Server and framing headers; those of `m` that frame are ours to
// write and left out.
[[nodiscard]] std::string format_response(const Message& m, const ResponseShape& shape, Wall now);
[[nodiscard]] std::string format_http_date(Wall t);  // IMF-fixdate, RFC 9110 section 5.6.7

// {"ok":false,"error":…} and a line end: how a door says no on a stream.
[[nodiscard]] std::string refusal_line(std::string_view why);
[[nodiscard]] Message refusal_response(int status, std::string_view why);

// Does a connection speak HTTP? By its first bytes: a method and a blank.
enum class Speaks { http, other, undecided };
[[nodiscard]] Speaks sniff(std::string_view first_bytes);

}  // namespace checkrelay
