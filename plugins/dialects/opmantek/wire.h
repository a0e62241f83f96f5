// Requests and answers of the outages API. Pure and total.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/planned_outage.h"
#include "agent/port/message.h"
#include "agent/port/outage_source.h"
#include "agent/port/verdict.h"

namespace checkrelay::opmantek {

struct Settings {
  std::string url{};  // with /omk: base_url()
  std::string api{};  // "/admin/api/v3", behind it
  bool json_login = false;
  Credentials login{};
};

// The server's root gets "/en/omk"; what ends in "/omk" is taken as it is.
[[nodiscard]] std::string base_url(std::string_view url);
[[nodiscard]] Message login_request(const Settings& settings);
// `id` empty: the list. GET DELETE without, POST PUT with a JSON body.
[[nodiscard]] Message outages_request(const Settings& settings, std::string_view method,
                                      std::string_view id, std::string body = {});

// What an answer is, before its body is looked into.
struct Sense {
  enum class Kind {
    json,     // a JSON document, of any status
    page,     // HTML, or a redirect: a login page, more often than not
    nothing,  // no answer, or one without words
  };
  Kind kind = Kind::nothing;
  std::string words{};  // the server's, or the trouble: presentable
};
[[nodiscard]] Sense sense(const Message& answer, const Settings& settings,
                          std::span<const Secret> session);
[[nodiscard]] bool is_good(const Message& answer);  // 2xx
// Of an answer that did not do what was asked, and is not about the session.
[[nodiscard]] Judgement judgement(const Message& answer, const Sense& sense);

// The array of GET outages; single ones that cannot be understood are left out and complained of.
[[nodiscard]] Result<OutageList> parse_list(const std::string& body);
// One document, at most 64 deep; what is no JSON is an error. Normalised.
[[nodiscard]] Result<std::string> compact(const std::string& body);

// What an operator wants of one outage. Members that are not given are not touched by an update.
struct Wish {
  std::optional<std::vector<std::string>> nodes{};
  std::optional<std::vector<OutageElement>> elements{};
  std::optional<std::string> start{}, end{}, frequency{}, description{}, change_id{};
};
// What a server reads alike in any zone: epoch seconds, or a date and time with its offset. A time
// without is the server's, and of a free form at the offset that holds as it is read.
[[nodiscard]] bool is_absolute(std::string_view time);
[[nodiscard]] std::string not_absolute(std::string_view time);  // what is said then
[[nodiscard]] std::string create_body(const Wish& wish);
// Updates are absolute: what the server has (as read) with what is wished, in the shape that is
// written. refused: it has selectors that cannot be written back, or is to begin or end, once, at a
// time that is not absolute.
[[nodiscard]] Result<std::string> update_body(const std::string& read, const Wish& wish);

// As the API answers: `nodes` as an object and `element`; v2: plain nodes.
[[nodiscard]] std::string to_json(const PlannedOutage& outage, bool current, bool v2);

}  // namespace checkrelay::opmantek
