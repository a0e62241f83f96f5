// The way in: what a request asks for, and our answers in Opsview's form. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/check_result.h"
#include "agent/port/conversation.h"
#include "agent/port/message.h"
#include "plugins/dialects/opsview/data.h"
#include "plugins/dialects/opsview/wire.h"

namespace checkrelay::opsview {

enum class Format { json, perl, xml };

// The format of a media type ("application/json; charset=utf-8"), or none.
[[nodiscard]] std::optional<Format> format_of(std::string_view media_type);
// What an answer is written in: what `Accept` asks for, else what the URL's `content-type` says (of
// a GET alone), else the request's own Content-Type, else Perl data.
[[nodiscard]] Format answer_format(const Message& request);

// A request's URL parameters and its body's members; what the body says wins. A body is read by its
// Content-Type: the three formats, or a form; without one by what it begins with. unsupported: a
// type that we do not read.
struct Given {
  std::vector<std::pair<std::string, std::string>> parameters{};  // as they came, decoded
  Data body{};                                                    // a map, or null
  [[nodiscard]] std::string text(std::string_view name) const;
};
[[nodiscard]] Result<Given> read_request(const Message& request);

// One host or service, by the names that the API has for them (`hostname`, `hst.hostname`,
// `svc.hostname`, `host`; `servicename`, `svc.servicename`, `servicecheck`; `svc.hs` and `hs` with
// `host::service`). Several objects, wildcards and ids are refused: what is not in our
// configuration cannot be searched.
[[nodiscard]] Result<Subject> selected_subject(const Given& given);
// A result without time and id. The state is a number, as a number or a text.
[[nodiscard]] Result<CheckResult> read_result(Form form, const Given& given);

[[nodiscard]] bool wants_200(const Message& request);  // alwaysReturn200
// `data` in the wanted format, in the wrapper where the request asks for it (alwaysReturn200).
[[nodiscard]] Message reply(const Message& request, int status, const Data& data);
[[nodiscard]] Message refusal(const Message& request, int status, std::string_view message,
                              std::string_view detail);
// What a submitted result gets.
[[nodiscard]] Data confirmation(Form form, const Subject& subject);

}  // namespace checkrelay::opsview
