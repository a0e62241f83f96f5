#include "plugins/dialects/groundwork/session.h"

#include "agent/base/percent.h"
#include "plugins/dialects/answer.h"

namespace checkrelay::groundwork {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLook = 20ms;  // how soon one that waits sees that another has logged in

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

Message signed_request(const Settings& settings, const Secret& token, const std::string& target,
                       std::string body, Format format) {
  Message m = Message::request("POST", api_url(settings.url, target), std::move(body));
  const std::string media(media_type(format));
  // Accept is exactly one type, or the server's refusals have no body.
  m.headers = {{"Content-Type", media}, {"Accept", media}, {"GWOS-APP-NAME", settings.app_name}};
  m.secret_headers = {{"GWOS-API-TOKEN", token}};
  return m;
}

}  // namespace

Message signed_request(const Settings& settings, const Secret& token, const std::string& target,
                       std::string body) {
  return signed_request(settings, token, target, std::move(body), settings.format);
}

std::string batch_target(const Settings& settings, bool hosts) {
  return std::string(hosts ? "hosts" : "services") +
         "?merge=" + (settings.merge ? "true" : "false") + "&async=false";
}

Message signed_command(const Settings& settings, const Secret& token, Message request) {
  const Format format = request.body.empty() ? Format::json : settings.format;
  Message m = signed_request(settings, token, request.target, std::move(request.body), format);
  m.method = std::move(request.method);
  return m;
}

Message logout_request(const Settings& settings, const Secret& token) {
  Message m = Message::request("POST", api_url(settings.url, "auth/logout"),
                               "gwos-app-name=" + percent_encoded(settings.app_name) +
                                   "&gwos-api-token=" + percent_encoded(token.reveal()));
  m.headers = {{"Content-Type", std::string(kForm)},
               {"Accept", "text/plain"},
               {"GWOS-APP-NAME", settings.app_name}};
  m.secret_headers = {{"GWOS-API-TOKEN", token}};
  return m;
}

Entrance::~Entrance() {
  if (state_ == State::asking) session_->asking_ = false;
}

void Entrance::ask(std::string_view accept, Actions& out) {
  Message m =
      Message::request("POST", api_url(settings_.url, "auth/login"),
                       login_body(settings_.login, settings_.app_name, settings_.login_encoding));
  m.headers = {{"Content-Type", std::string(kForm)}, {"Accept", std::string(accept)}};
  out.send.push_back(std::move(m));
}

void Entrance::enter(Instant now, Actions& out) {
  look_again_.reset();
  logged_in_ = false;
  if (!session_->token().empty()) return void(state_ = State::inside);
  if (session_->asking_) {
    attempts_seen_ = session_->attempts_;
    state_ = State::waiting;
    look_again_ = now.steady + kLook;
    return;
  }
  session_->asking_ = true;
  asked_for_xml_ = false;
  state_ = State::asking;
  ask("text/plain", out);
}

void Entrance::receive(const Message& answer, Instant now, Actions& out) {
  // The first 7.0 releases answer in application/xml or not at all.
  const bool not_acceptable = answer.kind == Message::Kind::response && answer.status == 406;
  if (not_acceptable && !asked_for_xml_) {
    asked_for_xml_ = true;
    return ask("application/xml", out);
  }
  LoginAnswer judged = judge_login(answer);
  if (!judged.token.empty()) {
    session_->token_ = std::move(judged.token);
    session_->failure_.reset();
    logged_in_ = true;
    state_ = State::inside;
    return conclude();
  }
  // What is no token as we know them may be one all the same: it is not shown.
  const bool no_token = answer.kind == Message::Kind::response && answer.status == 200;
  refusal_ = {0, judged.judgement,
              no_token ? "login: HTTP 200, and no token in the answer"
                       : "login: " + words_of(answer, settings_.login, Secret{}),
              retry_after(answer, now.wall), false};
  if (refusal_.answer.size() > kAnswerLimit)
    refusal_.answer = presentable(refusal_.answer, settings_.login);
  session_->failure_ = refusal_;
  state_ = State::refused;
  conclude();
}

void Entrance::conclude() {
  session_->asking_ = false;
  ++session_->attempts_;
}

void Entrance::expire(Instant now, Actions& out) {
  if (state_ != State::waiting || !look_again_ || now.steady < *look_again_) return;
  const bool tried = session_->attempts_ != attempts_seen_ && session_->failure_.has_value();
  if (session_->token().empty() && tried) {
    refusal_ = *session_->failure_;
    state_ = State::refused;
    look_again_.reset();
    return;
  }
  enter(now, out);
}

}  // namespace checkrelay::groundwork
