// GroundWork's REST API for host and service status (GWOS 7.x), bytes <-> values. Pure. Sources:
// GroundWork's "2.0 Host APIs" and the REST pages of its knowledge base for 7.0 to 7.2; what these
// leave open is in the published server source (GWOS 7.2) and named here as "the server".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/port/message.h"
#include "agent/port/verdict.h"

namespace checkrelay::groundwork {

enum class Format {
  json,        // {"services":[…]}, from 7.1
  json_array,  // […], 7.0
  xml,
};

// What is said of every item alike.
struct Identity {
  std::string app_type{};  // owner of what is created; another owner's services are not touched
  std::string monitor_server{};  // empty = the server's default
  std::string agent_id{};        // empty = not said
};

// --- Items, our way out

constexpr std::size_t kNameLimit = 254;  // characters of host and service, by the server's schema
constexpr std::size_t kServiceTextLimit = 16384;  // characters of one property's value
constexpr std::size_t kHostTextLimit = 32768;

// Why no item can carry this subject, or none.
[[nodiscard]] std::optional<std::string> unaddressable(const Subject& subject);

// The item's name in results documents: "host" or "host:service".
[[nodiscard]] std::string entity_of(const Subject& subject);
// By which rows are paired with items: no two of a batch may have the same.
[[nodiscard]] std::string entity_key(std::string_view entity);

// The status by its exact name. A host has no UNKNOWN here: it becomes UNREACHABLE.
[[nodiscard]] std::string_view status_name(State state, bool host);

// "2026-01-05T10:15:00.000+0000": the server never writes a Z, and reads an offset.
[[nodiscard]] std::string format_date(Wall time);

// Valid UTF-8 of characters that XML 1.0 has too, whichever format is sent: others become blanks,
// line ends \n. At most `limit` characters as the server counts them (UTF-16).
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t limit);
// The same for performance data, on one line, cut between two metrics.
[[nodiscard]] std::string clean_perfdata(std::string_view text, std::size_t limit);

// One item of a batch. The output goes as LastPluginOutput ("(no output)" where it is empty) and
// the performance data as PerformanceData; the host's own name stands for its device, which the
// server needs to create it. REQUIRES: !unaddressable(result.subject)
[[nodiscard]] std::string encode_item(const CheckResult& result, Format format,
                                      const Identity& identity);
// A host as no more than its name, of a batch that deletes.
[[nodiscard]] std::string encode_name(const std::string& host, Format format);
// A batch of hosts or of services.
[[nodiscard]] std::string encode_batch(std::span<const std::string_view> items, bool hosts,
                                       Format format);
constexpr std::size_t kBatchFrame = 128;  // bytes that a batch has beside its items, at most; each
                                          // item has a separator beside it

[[nodiscard]] std::string_view media_type(Format format);

// Below `root`, the server's root or its API (ends in /api): "hosts", "auth/login". REQUIRES: no
// query in `root`.
[[nodiscard]] std::string api_url(std::string_view root, std::string_view rest);

// --- Results documents

struct Row {
  std::string status{};  // success, failure, warning
  std::string entity{};
  std::string message{};
};

// The rows of a results document, JSON or XML by its content type or else by its looks; none where
// the body is none. Counters are not believed: the two documents that describe them disagree on
// their names, and a missing one is not zero.
[[nodiscard]] std::optional<std::vector<Row>> read_results(const std::string& body,
                                                           std::string_view content_type);

// Which row speaks of which item: an index of `rows` for each of `entities`, or none. By position
// where there are as many rows as items and every success is of the item at its place; else by
// entity, where exactly one row names it. Names are compared without case, since the server unifies
// names that differ in it alone.
[[nodiscard]] std::vector<std::optional<std::size_t>> pair_rows(
    std::span<const std::string> entities, std::span<const Row> rows);

// success: delivered. failure: rejected, but transient where its words are the database's own
// trouble (a deadlock, a timeout). warning: rejected, since the server ignored the item (not
// merged, not the owner). Anything else: transient.
[[nodiscard]] Judgement judge_row(const Row& row);

// --- HTTP answers to a batch
//
//   status                 judgement
//   200                    item by item where the body is a results document, else transient
//   400 413 422 500        the batch is halved and sent again, so that an item that spoils it
//                          stands alone in the end
//   401                    one login, then again what was not acknowledged; auth where the login
//                          was fresh: the server says 401, too, to users who may not write
//   403                    auth
//   3xx 404 405 406 407 415  config
//   any other              transient
//
// Trouble::tls is config, Trouble::too_large halves, other trouble is transient.
struct Ruling {
  enum class Kind { rows, halve, log_in, all };
  Kind kind = Kind::all;
  Judgement judgement = Judgement::transient;  // all; halve: of an item that stands alone
  std::vector<Row> rows{};
};
[[nodiscard]] Ruling rule(const Message& answer);

// --- Logins

// How user and password travel; the documentation has them in base64, clients on the server's own
// machine send them plain, and a password that is stored encrypted goes as it is.
enum class LoginEncoding { base64, plain, base64_user };

[[nodiscard]] std::string login_body(const Credentials& login, std::string_view app_name,
                                     LoginEncoding encoding);

// The token in the answer to a login, or what the answer means:
//
//   200 with one word, blanks around it aside     the token
//   200 with anything else                        config
//   401 403, 404 with a plain text                auth (the server's source has 404 for a wrong
//                                                 password, its documentation 401)
//   3xx 400 404 405 406 407 415                   config
//   any other, and trouble but tls                transient
struct LoginAnswer {
  Secret token{};
  Judgement judgement = Judgement::transient;  // where there is no token
};
[[nodiscard]] LoginAnswer judge_login(const Message& answer);

// A web server's words, rather than the API's: a page, whatever its status.
[[nodiscard]] bool is_page(const Message& answer);

// One line on an answer, without these secrets.
[[nodiscard]] std::string words_of(const Message& answer, const Credentials& login,
                                   const Secret& token);
// The same of a text of the server's.
[[nodiscard]] std::string without_secrets(std::string_view text, const Credentials& login,
                                          const Secret& token);

// --- Our way in

// ISO 8601 with an offset ("+0100", "+01:00", "Z"), or epoch milliseconds; Wall{} for a blank and
// for "0", as the server reads them.
[[nodiscard]] Result<Wall> parse_date(std::string_view text);

// One item of a batch that came in: a result, or why it is none.
struct Taken {
  std::string entity{"(Unknown)"};
  CheckResult result{};
  std::string fault{};  // empty where `result` counts
};

struct Batch {
  std::vector<Taken> items{};
  std::size_t mended = 0;  // see Submission::mended
};

// The body of a POST to hosts or services. The error is that of the whole: no list of items.
[[nodiscard]] Result<Batch> read_batch(const std::string& body, bool hosts, bool xml,
                                       std::size_t max_item);

struct Report {
  std::string status{};
  std::string entity{};
  std::string message{};
  std::string location{};
};
[[nodiscard]] std::string write_results(std::span<const Report> reports, bool hosts, bool xml);
[[nodiscard]] std::string write_error(int status, std::string_view error, bool xml);

}  // namespace checkrelay::groundwork
