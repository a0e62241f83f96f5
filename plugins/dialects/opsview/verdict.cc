// What an answer means.
#include <algorithm>
#include <initializer_list>

#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/opsview/wire.h"

namespace checkrelay::opsview {
namespace {

using Sense = Answer::Sense;
constexpr int kNoStatus = 0;  // of an error within alwaysReturn200
constexpr std::size_t kLongestToken = 1024;

bool one_of(int status, std::initializer_list<int> list) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

struct Body {
  Data data{};
  bool html = false;
  bool wrapped = false;
  std::string words{};
};

// A message is a text, or a map of texts: detail, monitoringserver, severity.
void append_words(const Data& data, std::string& out) {
  if (data.kind == Data::Kind::text && !data.value.empty())
    out += (out.empty() ? "" : ": ") + data.value;
  if (data.kind == Data::Kind::list)
    for (const Data& item : data.items) append_words(item, out);
  if (data.is_map())
    for (std::string_view key : {"severity", "monitoringserver", "detail"})
      if (const Data* part = data.find(key)) append_words(*part, out);
}

std::string words_of(const Data& data) {
  std::string words;
  for (std::string_view key : {"message", "detail", "info", "messages"})
    if (const Data* part = data.find(key)) append_words(*part, words);
  return words;
}

Body read_body(const std::string& text) {
  Body body;
  body.words = text;
  const std::string_view start = trimmed(text);
  body.html = start.starts_with('<');
  if (!start.starts_with('{')) return body;
  std::string utf8 = text;
  make_valid_utf8(utf8);
  auto data = parse_json(utf8);
  if (!data) return body;
  body.data = std::move(*data);
  const Data* rest = body.data.find("rest");
  body.wrapped = rest != nullptr;
  if (rest != nullptr) body.data = Data(*rest);
  if (std::string words = words_of(body.data); !words.empty()) body.words = words;
  return body;
}

bool says(const Body& body, std::initializer_list<std::string_view> texts) {
  const std::string words = lower(std::string_view(body.words).substr(0, 4096));
  return std::any_of(texts.begin(), texts.end(),
                     [&](std::string_view text) { return words.find(text) != std::string::npos; });
}

Judgement bad(int status, const Body& body) {
  if (says(body, {"deadlock"})) return Judgement::transient;
  if (status == 403) return Judgement::auth;
  if (status == 400 && (body.html || says(body, {"errors setting", "error when searching"})))
    return Judgement::transient;
  if (one_of(status, {400, 413, 422})) return Judgement::rejected;
  if (one_of(status, {404, 405, 406, 407, 415}) || status / 100 == 3) return Judgement::config;
  return Judgement::transient;
}

// An error inside alwaysReturn200 has only its words.
int status_of_words(const Body& body) {
  if (says(body, {"not authenticated", "not logged in", "authentication", "token"})) return 401;
  if (says(body, {"access denied"})) return 403;
  if (says(body, {"no objects chosen", "error validating", "problem with your request"}))
    return 400;
  return kNoStatus;
}

void judge(int status, const Body& body, Answer& answer) {
  const bool error = !body.data.text_of("message").empty();
  if (status == 200 && body.data.is_map() && !error) {
    answer.sense = Sense::good;
    return;
  }
  if (status == 200) status = body.wrapped && error ? status_of_words(body) : kNoStatus;
  if (status == 409 || (status != kNoStatus && body.data.text_of("server_status") == "1")) {
    answer.sense = Sense::reloading;
    answer.judgement = Judgement::held;
  } else if (status == 401) {
    answer.sense = Sense::expired;
    answer.judgement = Judgement::auth;
  } else if (status == 400 && says(body, {"no objects chosen"})) {
    answer.sense = Sense::miss;
    answer.judgement = Judgement::unknown_object;
  } else {
    answer.judgement = bad(status, body);
  }
}

std::string answer_words(const Message& in, const Body& body) {
  std::string words = "HTTP " + std::to_string(in.status);
  const std::string* location = in.header("Location");
  if (in.status / 100 == 3 && location) words += " to " + *location;
  if (!body.words.empty()) words += ": " + body.words;
  return words;
}

// Every object that an answer names: of a single one, of a list, of a list by kind.
void objects_of(const Data& data, std::vector<const Data*>& out) {
  if (data.kind == Data::Kind::list)
    for (const Data& item : data.items) out.push_back(&item);
  if (!data.is_map()) return;
  for (std::string_view key : {"hosts", "services"})
    if (const Data* list = data.find(key)) objects_of(*list, out);
}

bool is_subject(const Data& object, const Subject& subject) {
  std::string_view host = object.text_of("hostname");
  const std::string_view service = object.text_of("servicename");
  if (host.empty()) host = object.text_of("name");
  return equals_ignoring_case(host, subject.host) && equals_ignoring_case(service, subject.service);
}

bool fit_for_header(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Answer read_answer(const Message& in, Wall now) {
  Answer answer;
  if (in.kind != Message::Kind::response) {
    const bool mend = in.kind == Message::Kind::failure && in.trouble == Trouble::tls;
    answer.judgement = mend ? Judgement::config : Judgement::transient;
    answer.words = in.what.empty() ? "no HTTP answer" : in.what;
    return answer;
  }
  Body body = read_body(in.body);
  judge(in.status, body, answer);
  answer.words = answer_words(in, body);
  answer.data = std::move(body.data);
  if (answer.judgement != Judgement::rejected && answer.judgement != Judgement::unknown_object)
    answer.retry_after = retry_after(in, now);
  return answer;
}

Selection selected(const Data& data, const Subject& subject) {
  std::vector<const Data*> objects;
  const Data* object = data.find("object");
  const Data* list = data.find("list");
  const bool named = object && object->is_map();
  if (named && !object->items.empty()) objects.push_back(object);
  if (list) objects_of(*list, objects);
  if (!list && !named) return Selection::untold;
  if (objects.empty()) return Selection::none;
  const bool exact = objects.size() == 1 && is_subject(*objects.front(), subject);
  return exact ? Selection::exact : Selection::others;
}

bool succeeded(const Data& data) { return data.text_of("success") == "1"; }

std::optional<ReloadStatus> read_reload(const Data& data) {
  auto status = parse_integer(data.text_of("server_status"), 0, 99);
  if (!status) return std::nullopt;
  ReloadStatus out;
  out.server_status = static_cast<int>(*status);
  out.pending = data.text_of("configuration_status") == "pending";
  out.last_updated = data.text_of("lastupdated");
  if (auto seconds = parse_number(data.text_of("average_duration")); seconds && *seconds >= 0)
    out.average_duration =
        std::chrono::seconds(static_cast<long long>(std::min(*seconds, 86400.0)));
  if (const Data* messages = data.find("messages")) append_words(*messages, out.messages);
  return out;
}

Result<Secret> read_token(const Data& data) {
  const std::string_view token = data.text_of("token");
  if (token.empty()) return fail(Errc::unavailable, "the login's answer has no token");
  if (token.size() > kLongestToken || !fit_for_header(token))
    return fail(Errc::unavailable, "the login's token is not fit for a header");
  return Secret(std::string(token));
}

std::optional<std::string> too_new(const Data& versions) {
  const std::string_view least = versions.text_of("api_min_version");
  auto number = parse_number(least);
  if (!number || *number <= kApiVersion) return std::nullopt;
  return "the server's API speaks to clients of version " + quoted(least) + " and later only";
}

}  // namespace checkrelay::opsview
