// What the HTTP answers to batches and logins mean.
#include <algorithm>
#include <array>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {
namespace {

constexpr std::size_t kLongestToken = 512;  // bytes; the known ones have 32 to 40

bool one_of(int status, std::initializer_list<int> list) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

bool is_misplaced(int status) {
  return status / 100 == 3 || one_of(status, {404, 405, 406, 407, 415});
}

std::string content_type(const Message& answer) {
  const std::string* type = answer.header("Content-Type");
  return type ? lower(*type) : "";
}

Judgement judge_trouble(const Message& m) {
  const bool mend = m.kind == Message::Kind::failure && m.trouble == Trouble::tls;
  return mend ? Judgement::config : Judgement::transient;
}

// Where an item stands alone with such an answer.
Judgement alone(int status) {
  if (status == 413 || status == 422) return Judgement::rejected;
  return status == 400 ? Judgement::config : Judgement::transient;
}

bool is_token_char(char c) { return c > ' ' && c < 0x7f; }

bool looks_like_token(std::string_view text) {
  return !text.empty() && text.size() <= kLongestToken &&
         text.find_first_of("<>{}\"") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_token_char);
}

// The server's words for a wrong password, rather than a web server's for a wrong path.
bool is_plain_text(const Message& answer) {
  const std::string_view body = trimmed(answer.body);
  return !is_page(answer) && !body.empty() && !body.starts_with('<');
}

}  // namespace

bool is_page(const Message& answer) {
  return content_type(answer).find("html") != std::string::npos ||
         lower(trimmed(answer.body).substr(0, 9)).starts_with("<!doctype") ||
         lower(trimmed(answer.body).substr(0, 5)) == "<html";
}

Ruling rule(const Message& answer) {
  if (answer.kind != Message::Kind::response) {
    const bool too_large =
        answer.kind == Message::Kind::failure && answer.trouble == Trouble::too_large;
    return {too_large ? Ruling::Kind::halve : Ruling::Kind::all, judge_trouble(answer), {}};
  }
  const int status = answer.status;
  if (status == 200) {
    auto rows = read_results(answer.body, content_type(answer));
    if (!rows) return {};
    return {Ruling::Kind::rows, Judgement::transient, std::move(*rows)};
  }
  if (one_of(status, {400, 413, 422, 500})) return {Ruling::Kind::halve, alone(status), {}};
  if (status == 401) return {Ruling::Kind::log_in, Judgement::auth, {}};
  if (status == 403) return {Ruling::Kind::all, Judgement::auth, {}};
  if (is_misplaced(status)) return {Ruling::Kind::all, Judgement::config, {}};
  return {};
}

std::string login_body(const Credentials& login, std::string_view app_name,
                       LoginEncoding encoding) {
  const std::string& secret = login.secret.reveal();
  const bool plain_user = encoding == LoginEncoding::plain;
  const bool plain_secret = encoding != LoginEncoding::base64;
  return "user=" + percent_encoded(plain_user ? login.user : base64(login.user)) +
         "&password=" + percent_encoded(plain_secret ? secret : base64(secret)) +
         "&gwos-app-name=" + percent_encoded(app_name);
}

LoginAnswer judge_login(const Message& answer) {
  if (answer.kind != Message::Kind::response) return {Secret{}, judge_trouble(answer)};
  const int status = answer.status;
  const std::string_view text = trimmed(answer.body);
  if (status == 200) {
    if (looks_like_token(text)) return {Secret(std::string(text)), Judgement::delivered};
    return {Secret{}, Judgement::config};
  }
  if (one_of(status, {401, 403}) || (status == 404 && is_plain_text(answer)))
    return {Secret{}, Judgement::auth};
  if (status == 400 || is_misplaced(status)) return {Secret{}, Judgement::config};
  return {};
}

std::string without_secrets(std::string_view text, const Credentials& login, const Secret& token) {
  const std::string encoded = login.secret.empty() ? std::string() : base64(login.secret.reveal());
  const std::array<Secret, 2> session{Secret(encoded), token};
  return presentable(text, login, session);
}

std::string words_of(const Message& answer, const Credentials& login, const Secret& token) {
  if (answer.kind != Message::Kind::response)
    return without_secrets(answer.what.empty() ? "no HTTP answer" : answer.what, login, token);
  std::string words = "HTTP " + std::to_string(answer.status);
  const std::string* location = answer.header("Location");
  if (answer.status / 100 == 3 && location) words += " to " + *location;
  const std::string_view body = trimmed(answer.body);
  if (!body.empty()) words.append(": ").append(body);
  return without_secrets(words, login, token);
}

}  // namespace checkrelay::groundwork
