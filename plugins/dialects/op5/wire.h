// OP5 Monitor's command API (PROCESS_SERVICE_CHECK_RESULT and PROCESS_HOST_CHECK_RESULT), bytes <->
// values. Pure. Sources: OP5 "Submitting status updates through the HTTP API"; what the server does
// behind it is Naemon's handling of external commands. The API carries no time of check: the server
// stamps a result when it arrives.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/port/message.h"
#include "agent/port/verdict.h"

namespace checkrelay::op5 {

// --- Requests, our way out
// -------------------------------------------------------------------------------------------

// What becomes of line ends in the output. A raw one is lost on some of the server's inner routes.
enum class Multiline {
  flatten,  // " / " between lines that are not empty
  escaped,  // the two characters \n
  raw,
};

struct Hygiene {
  Multiline multiline = Multiline::flatten;
  std::size_t text_limit = 4096;  // bytes of text and perfdata together; at least kLeastTextLimit
};
constexpr std::size_t kLeastTextLimit = 64;

[[nodiscard]] std::string_view command_name(bool host);

// The command's URL below `root`, the server's root or its API (ends in /api). REQUIRES: no query
// in `root`.
[[nodiscard]] std::string command_url(std::string_view root, bool host);

// Why the API cannot address this subject, or none. Naemon separates arguments by ';' and strips
// the command.
[[nodiscard]] std::optional<std::string> unaddressable(const Subject& subject);

// The one text that the API has for output and perfdata:
// - bad UTF-8 becomes U+FFFD, control characters but tab become blanks, both ends are stripped (the
// server would)
// - '|' in the output becomes U+00A6, since the first pipe begins the perfdata
// - perfdata is verbatim, on the first line; an empty output becomes "(no output)"
// - too long: the output is cut, and perfdata past half of the limit, at a character and between
// two metrics
[[nodiscard]] std::string plugin_output(const CheckResult& result, const Hygiene& hygiene);

// The JSON body. status_code is a string, as in the source document. REQUIRES:
// !unaddressable(result.subject)
[[nodiscard]] std::string encode_body(const CheckResult& result, const Hygiene& hygiene);

// --- Answers
// ---------------------------------------------------------------------------------------------------------

// One item's verdict (item 0) from the answer or failure that its request got. By status and body,
// never by wording:
//
//   status                              body                        judgement
//   200                                 {"result":"…"}, no "error"  delivered
//   200                                 anything else               transient
//   400                                 any                         unknown_object: a fault of the
//   item; which one, no 404                                 JSON object with "error"      status
//   tells, so it is offered again slowly 404                                 anything else config
//   413 422                             any                         rejected
//   401 403                             any                         auth
//   3xx 405 406 407 415                 any                         config
//   509                                 any                         transient, not before
//   kSanityPause 408 409 425 429, all other 5xx      any                         transient any
//   other                           any                         transient Trouble::tls config any
//   other trouble                                               transient
//
// Retry-After is honoured for transient, auth and config. `login` is what must not appear in the
// verdict's words.
[[nodiscard]] Verdict judge(const Message& answer, const Credentials& login, Wall now);
constexpr auto kSanityPause =
    std::chrono::seconds(6);  // 509: the server's own protection; clients wait this long

// --- Requests, our way in, and our answers
// ---------------------------------------------------------------------------

// A command's body as a result without time and id. JSON, or form fields where `content_type` says
// so and the body is no JSON object. status_code may be a number or a decimal string. Unknown
// fields are ignored, as the server does. Bad UTF-8 is replaced in the output and an error in
// names.
[[nodiscard]] Result<CheckResult> parse_request(bool host, std::string_view body,
                                                std::string_view content_type);

[[nodiscard]] Message success(bool host);
[[nodiscard]] Message refusal(int status, std::string_view error, std::string_view full_error);

}  // namespace checkrelay::op5
