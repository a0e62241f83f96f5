// What an answer means. The only simdjson use here is behind read_body().
#include <simdjson.h>

#include <algorithm>

#include "plugins/dialects/answer.h"
#include "plugins/dialects/op5/wire.h"

namespace checkrelay::op5 {
namespace {

struct Body {
  bool confirms = false;   // holds `result` and no `error`
  bool complains = false;  // a JSON object that holds `error`
  std::string words{};     // the server's
};

std::string words_of(simdjson::dom::element value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(value);
}

// `full_error` may be a text or an object.
std::string words_of(const simdjson::dom::object& object) {
  std::string words;
  for (std::string_view key : {"result", "error", "full_error"}) {
    simdjson::dom::element value;
    if (object.at_key(key).get(value) != simdjson::SUCCESS) continue;
    words += (words.empty() ? "" : ": ") + words_of(value);
  }
  return words;
}

Body read_body(const std::string& text) {
  Body body{false, false, text};
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text).get_object().get(object) != simdjson::SUCCESS) return body;
  std::string_view result;
  body.complains = object.at_key("error").error() == simdjson::SUCCESS;
  body.confirms = !body.complains &&
                  object["result"].get_string().get(result) == simdjson::SUCCESS && !result.empty();
  if (std::string words = words_of(object); !words.empty()) body.words = words;
  return body;
}

bool one_of(int status, std::initializer_list<int> list) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

Judgement judgement(int status, const Body& body) {
  if (status == 200) return body.confirms ? Judgement::delivered : Judgement::transient;
  if (status == 400 || (status == 404 && body.complains)) return Judgement::unknown_object;
  if (one_of(status, {413, 422})) return Judgement::rejected;
  if (one_of(status, {401, 403})) return Judgement::auth;
  if (one_of(status, {404, 405, 406, 407, 415}) || status / 100 == 3) return Judgement::config;
  return Judgement::transient;
}

std::optional<Duration> pause(Judgement j, const Message& answer, Wall now) {
  if (j != Judgement::transient && j != Judgement::auth && j != Judgement::config)
    return std::nullopt;
  auto wish = retry_after(answer, now);
  if (answer.status == 509) return std::max(wish.value_or(Duration(0)), Duration(kSanityPause));
  return wish;
}

std::string answer_words(const Message& answer, const Body& body, const Credentials& login) {
  std::string words = "HTTP " + std::to_string(answer.status);
  const std::string* location = answer.header("Location");
  if (answer.status / 100 == 3 && location) words += " to " + *location;
  if (!body.words.empty()) words += ": " + body.words;
  return presentable(words, login);
}

}  // namespace

Verdict judge(const Message& answer, const Credentials& login, Wall now) {
  if (answer.kind != Message::Kind::response) {
    bool mend = answer.kind == Message::Kind::failure && answer.trouble == Trouble::tls;
    return {0, mend ? Judgement::config : Judgement::transient,
            presentable(answer.what.empty() ? "no HTTP answer" : answer.what, login), std::nullopt};
  }
  Body body = read_body(answer.body);
  Judgement j = judgement(answer.status, body);
  return {0, j, answer_words(answer, body, login), pause(j, answer, now)};
}

}  // namespace checkrelay::op5
