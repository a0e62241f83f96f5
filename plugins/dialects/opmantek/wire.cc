#include "plugins/dialects/opmantek/wire.h"

#include "agent/base/json.h"
#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/answer.h"

namespace checkrelay::opmantek {
namespace {

constexpr std::string_view kRoot = "/en/omk", kOmk = "/omk";

bool is_html(const Message& answer) {
  const std::string* type = answer.header("Content-Type");
  if (type && lower(*type).find("html") != std::string::npos) return true;
  return trimmed(answer.body).starts_with('<');
}

std::string status_words(const Message& answer) {
  std::string words = "HTTP " + std::to_string(answer.status);
  const std::string* location = answer.header("Location");
  if (answer.status / 100 == 3 && location) words += " to " + *location;
  return words;
}

}  // namespace

std::string base_url(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  std::string base(url);
  return base.ends_with(kOmk) ? base : base + std::string(kRoot);
}

Message login_request(const Settings& s) {
  Message m = Message::request("POST", s.url + "/admin/login");
  if (s.json_login) {
    JsonWriter(m.body)
        .begin_object()
        .key("username")
        .text(s.login.user)
        .key("password")
        .text(s.login.secret.reveal())
        .end_object();
    m.headers.push_back({"Content-Type", "application/json"});
  } else {
    m.body = "username=" + percent_encoded(s.login.user) +
             "&password=" + percent_encoded(s.login.secret.reveal());
    m.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  }
  m.headers.push_back({"Accept", "application/json"});
  return m;
}

Message outages_request(const Settings& s, std::string_view method, std::string_view id,
                        std::string body) {
  std::string target = s.url + s.api + "/outages";
  if (!id.empty()) target += "/" + percent_encoded(id);
  const bool has_body = !body.empty();
  Message m = Message::request(std::string(method), std::move(target), std::move(body));
  m.headers.push_back({"Accept", "application/json"});
  if (has_body) m.headers.push_back({"Content-Type", "application/json"});
  return m;
}

Sense sense(const Message& answer, const Settings& settings, std::span<const Secret> session) {
  const auto shown = [&](std::string_view words) {
    return presentable(words, settings.login, session);
  };
  if (answer.kind != Message::Kind::response)
    return {Sense::Kind::nothing, shown(answer.what.empty() ? "no HTTP answer" : answer.what)};
  std::string words = status_words(answer);
  if (answer.status / 100 == 3 || is_html(answer))
    return {Sense::Kind::page, shown(words + ": a page, not JSON")};
  if (trimmed(answer.body).empty())
    return {Sense::Kind::nothing, shown(words + ": an empty answer")};
  return {Sense::Kind::json, shown(words + ": " + answer.body)};
}

bool is_good(const Message& answer) {
  return answer.kind == Message::Kind::response && answer.status / 100 == 2;
}

Judgement judgement(const Message& answer, const Sense& sense) {
  if (answer.kind != Message::Kind::response)
    return answer.trouble == Trouble::tls ? Judgement::config : Judgement::transient;
  if (answer.status == 401 || answer.status == 403) return Judgement::auth;
  const bool elsewhere = answer.status / 100 == 3 || answer.status == 404 || answer.status == 405 ||
                         answer.status == 406 || answer.status == 415;
  if (elsewhere && (sense.kind != Sense::Kind::json || answer.status != 404))
    return Judgement::config;
  if (answer.status == 400 || answer.status == 404 || answer.status == 422)
    return Judgement::rejected;
  return Judgement::transient;
}

}  // namespace checkrelay::opmantek
