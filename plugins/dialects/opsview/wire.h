// Opsview's REST API: what is asked, and what the answers say. Pure.
//
// Sources: "Opsview REST API" (docs.opsview.com, 3.x to 4.6) for login, headers, formats and
// errors; "Reload - Request Format" (6.8) for the reload; "Detail - Setting", "Detail - Listing"
// and "Set service status" (docs.itrsgroup.com, 6.x) for results. The API takes no time of a check:
// the server stamps a result when it arrives.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/port/message.h"
#include "agent/port/verdict.h"
#include "plugins/dialects/opsview/data.h"

namespace checkrelay::opsview {

// --- Requests, our way out ----------------------------------------------------------------------

// How a result is handed in.
enum class Form {
  detail,  // POST /rest/detail, `set_state`; the answer does not name the object
  status,  // POST /rest/status, `new_state`; the answer lists what was selected
};

struct Hygiene {
  std::size_t text_limit = 16 * 1024;  // bytes of output, and of perfdata; at least kLeastTextLimit
};
constexpr std::size_t kLeastTextLimit = 64;

// `root`, the server's root or its API (ends in /rest), and a path below the API ("" or "/login").
[[nodiscard]] std::string api_url(std::string_view root, std::string_view path);

// Why the API cannot address this subject, or none: a `%` in a name selects whatever it matches.
[[nodiscard]] std::optional<std::string> unaddressable(const Subject& subject);
// True where a name may be more than a name to the server's search (`_`, SQL's other wildcard), so
// that what it selects has to be looked at first.
[[nodiscard]] bool may_match_others(const Subject& subject);

// The one text that the API has for output and perfdata: output on one line (" / " between its
// lines), a pipe in it as U+00A6, "(no output)" where it is empty (which the API would refuse),
// then a pipe and the perfdata. Each is cut to the limit by itself.
[[nodiscard]] std::string plugin_output(const CheckResult& result, const Hygiene& hygiene);

[[nodiscard]] Message login_request(std::string_view root, const Credentials& login);
// REQUIRES: !unaddressable(result.subject)
[[nodiscard]] Message submit_request(std::string_view root, Form form, const CheckResult& result,
                                     const Hygiene& hygiene);
[[nodiscard]] Message lookup_request(std::string_view root, const Subject& subject);
// Begins a reload and does not wait for its end. An empty changelog is not sent.
[[nodiscard]] Message reload_request(std::string_view root, std::string_view changelog);
[[nodiscard]] Message logout_request(std::string_view root);
[[nodiscard]] Message get_request(std::string_view root, std::string_view path);

// --- Answers ------------------------------------------------------------------------------------

// What an answer is about, before anybody looks for what it confirms.
struct Answer {
  enum class Sense {
    good,       // 200 and readable: `data` says what
    expired,    // 401, or a wrapped error that says the same
    miss,       // no object was selected: there is none, or this user may not see it
    reloading,  // 409, or an error whose server_status is 1
    bad,        // anything else: see `judgement`
  };
  Sense sense = Sense::bad;
  Judgement judgement = Judgement::transient;
  Data data{};          // unwrapped
  std::string words{};  // the server's, as they came; see presentable()
  std::optional<Duration> retry_after{};
};

// By status first, by the texts that the documents name where one status has several meanings:
//
//   status                  body                                         sense, judgement
//   200                     an object without `message`                  good
//   200                     anything else (HTML, text, empty)            bad, transient
//   200                     {"rest": X} (alwaysReturn200)                as X; an error has no
//   status
//                                                                        of its own there
//   401                     any                                          expired (auth)
//   403                     any                                          bad, auth
//   409, any error          server_status 1                              reloading (held)
//   any error               "deadlock" in it                             bad, transient
//   400                     "No objects chosen"                          miss (unknown_object)
//   400                     "Errors setting", "Error when searching"     bad, transient
//   400                     HTML                                         bad, transient
//   400 413 422             any other                                    bad, rejected
//   3xx 404 405 406 407 415 any                                          bad, config
//   408 425 429, any other  any                                          bad, transient
//   Trouble::tls                                                         bad, config
//   other trouble                                                        bad, transient
//
// Retry-After is honoured for transient, auth, config and held.
[[nodiscard]] Answer read_answer(const Message& in, Wall now);

// What an answer's objects say of one subject: of a lookup, and of the form `status`.
enum class Selection {
  exact,   // this one and no other; case may differ, the server's search ignores it
  none,    // nothing
  others,  // another one, or more than one: a wildcard has hit
  untold,  // the answer speaks of no objects
};
[[nodiscard]] Selection selected(const Data& data, const Subject& subject);
// Of the form `detail`: `success` is 1.
[[nodiscard]] bool succeeded(const Data& data);

struct ReloadStatus {
  int server_status =
      0;  // 0 running, 1 reloading, 2 not running, 3 broken configuration, 4 warnings
  bool pending = false;  // a change waits for a reload
  std::optional<Duration> average_duration{};
  std::string last_updated{};  // of the configuration; opaque: only its change says something
  std::string messages{};      // in one line, of whatever shape they came
};
// None where it is no status of a reload.
[[nodiscard]] std::optional<ReloadStatus> read_reload(const Data& data);

// The token of a login, or why there is none. Opaque, but fit for a header.
[[nodiscard]] Result<Secret> read_token(const Data& data);

// The API that this client was written for: that of 6.12, in the API's own form of a number. An
// upstream whose api_min_version is later cannot be talked to; the reason, or none.
constexpr double kApiVersion = 6.012;
[[nodiscard]] std::optional<std::string> too_new(const Data& versions);

}  // namespace checkrelay::opsview
