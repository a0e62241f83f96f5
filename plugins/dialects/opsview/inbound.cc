#include "plugins/dialects/opsview/inbound.h"

#include <array>
#include <initializer_list>
#include <span>

#include "agent/base/text.h"
#include "plugins/dialects/opsview/conversations.h"
#include "plugins/dialects/owed_answers.h"

namespace checkrelay::opsview {
namespace {

// An hour after the last successful request.
constexpr auto kLoginLife = std::chrono::hours(1);

Data texts(std::initializer_list<std::pair<const char*, std::string_view>> members) {
  Data data = Data::map();
  for (const auto& [key, value] : members) data.add(key, Data::text(value));
  return data;
}

// The version that we answer as: that of the documents that we follow.
Data versions() {
  return texts({{"api_version", "6.012"}, {"api_min_version", "2.000"}, {"easyxdm_version", ""}});
}

Data information() {
  return texts({{"opsview_version", "6.12.0"},
                {"opsview_build", "checkrelay " CHECKRELAY_VERSION},
                {"opsview_edition", "core"},
                {"opsview_name", "checkrelay"},
                {"server_timezone", "UTC"},
                {"server_timezone_offset", "0"},
                {"uuid", "00000000-0000-0000-0000-000000000000"}});
}

Data user_data(std::string_view user) {
  Data data =
      texts({{"name", user}, {"fullname", user}, {"realm", "local"}, {"role", "checkrelay"}});
  data.add("access_list", texts({{"ACTIONALL", "1"}, {"RELOADVIEW", "1"}}));
  return data;
}

// There is nothing here that a reload would change.
Data reload_status() {
  Data data = texts({{"server_status", "0"},
                     {"configuration_status", "uptodate"},
                     {"average_duration", "0"},
                     {"lastupdated", "0"},
                     {"auditlog_entries", "0"}});
  return data.add("messages", Data::list());
}

Data object_of(const Subject& subject) {
  Data object = texts({{"hostname", subject.host}});
  if (!subject.is_host()) object.add("servicename", Data::text(subject.service));
  object.add("check_type", Data::text("2"));  // passive
  return Data::map().add("object", std::move(object));
}

std::string_view path_of(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

class Serving : public Conversation {
 public:
  explicit Serving(InboundContext context) : context_(std::move(context)) {}

  void start(Instant, Actions&) override {}
  void receive(Message in, Instant now, Actions& out) override {
    if (in.kind != Message::Kind::request) return;
    Owed& owed = owed_.add();
    owed.reply = take(in, owed, now, out);
    in.body.clear();
    owed.request = std::move(in);
    owed_.flush(out);
  }
  void finish(Instant, Actions& out) override { owed_.finish(out); }
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    owed_.settle(ticket,
                 [&](const Owed& owed) { return outcome_reply(owed, outcome_at(outcomes, 0)); });
    owed_.flush(out);
  }

 private:
  struct Owed : OwedAnswer {
    Form form = Form::detail;
    Subject subject{};
    Message request{};
  };
  using Handler = Message (Serving::*)(const Message&, Instant, Actions&);
  struct Route {
    std::string_view method{};
    std::string_view path{};
    Handler handler = nullptr;
    bool login_needed = true;
  };
  static std::span<const Route> routes() {
    static constexpr std::array<Route, 8> kRoutes{{
        {"GET", "/rest", &Serving::get_versions, false},
        {"POST", "/rest/login", &Serving::log_in, false},
        {"DELETE", "/rest/login", &Serving::log_out, true},
        {"POST", "/rest/logout", &Serving::log_out, true},
        {"GET", "/rest/info", &Serving::get_info, true},
        {"GET", "/rest/user", &Serving::get_user, true},
        {"GET", "/rest/reload", &Serving::get_reload, true},
        {"GET", "/rest/detail", &Serving::get_detail, true},
    }};
    return kRoutes;
  }

  // The answer, or none where the result is on its way to the journal.
  std::optional<Message> take(const Message& in, Owed& owed, Instant now, Actions& out) {
    const std::string_view path = path_of(in.target);
    const bool detail = path == "/rest/detail";
    if (in.method == "POST" && (detail || path == "/rest/status")) {
      owed.form = detail ? Form::detail : Form::status;
      return context_.authenticated ? submit(in, owed, out) : unauthorized(in, out);
    }
    std::string allowed = detail || path == "/rest/status" ? "POST" : "";
    for (const Route& route : routes()) {
      if (route.path != path) continue;
      if (route.method == in.method) {
        if (route.login_needed && !context_.authenticated) return unauthorized(in, out);
        return (this->*route.handler)(in, now, out);
      }
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    if (!context_.authenticated) return unauthorized(in, out);
    return allowed.empty() ? refuse(in, 404, "Not found", quoted(path), out)
                           : wrong_method(in, allowed, out);
  }

  std::optional<Message> submit(const Message& in, Owed& owed, Actions& out) {
    if (in.body.size() > context_.max_result) {
      return refuse(in, 413, "Request entity too large",
                    "a result has at most " + std::to_string(context_.max_result) + " bytes", out);
    }
    auto given = read_request(in);
    if (!given) return unreadable(in, given.error(), out);
    auto result = read_result(owed.form, *given);
    if (!result) {
      const bool detail = owed.form == Form::detail;
      const auto* message = result.error().what == "no hostname" ? "No objects chosen"
                            : detail ? "Error validating set_state parameters"
                                     : "Error validating status parameters";
      return refuse(in, 400, message, result.error().what, out);
    }
    owed.subject = result->subject;
    Submission submission;
    submission.ticket = owed.ticket;
    submission.results.push_back(std::move(*result));
    out.submit.push_back(std::move(submission));
    return std::nullopt;
  }

  static Message outcome_reply(const Owed& owed, const Outcome& outcome) {
    if (outcome.ok) return reply(owed.request, 200, confirmation(owed.form, owed.subject));
    switch (outcome.code) {
      case Errc::invalid:
        return refusal(owed.request, 400, "Error validating state parameters", outcome.error);
      case Errc::refused:
        return refusal(owed.request, 403, "Access denied", outcome.error);
      case Errc::full:
        return refusal(owed.request, 507, "Insufficient storage", outcome.error);
      default:
        return refusal(owed.request, 503, "Service unavailable", outcome.error);
    }
  }

  // A body that cannot be read is told of as text, whatever was asked for, but within the wrapper.
  static Message unreadable(const Message& in, const Error& error, Actions& out) {
    const int status = error.code == Errc::unsupported ? 415 : 400;
    out.refused.push_back({0, error.what});
    const std::string* type = in.header("Content-Type");
    std::string what = "Content-Type " + (type ? *type : std::string("(none)"));
    make_valid_utf8(what);
    what += " had a problem with your request.";
    if (wants_200(in)) return refusal(in, status, what, error.what);
    return Message::response(status, what + "\n" + error.what + "\n", "text/plain");
  }

  // NOLINTBEGIN(readability-convert-member-functions-to-static): they are rows of a table
  Message get_versions(const Message& in, Instant, Actions&) { return reply(in, 200, versions()); }
  Message get_info(const Message& in, Instant, Actions&) { return reply(in, 200, information()); }
  Message get_reload(const Message& in, Instant, Actions&) {
    return reply(in, 200, reload_status());
  }
  // NOLINTEND(readability-convert-member-functions-to-static)

  Message get_user(const Message& in, Instant, Actions&) {
    const std::string* name = in.header(kUserHeader);
    std::string shown = context_.user.empty() && name ? *name : context_.user;
    make_valid_utf8(shown);
    return reply(in, 200, user_data(shown));
  }

  // What an object is like is not known here, and every one is taken: whoever looks it up before it
  // hands in a result is told that it is there.
  Message get_detail(const Message& in, Instant, Actions& out) {
    auto given = read_request(in);
    if (!given) return unreadable(in, given.error(), out);
    auto subject = selected_subject(*given);
    if (!subject) return refuse(in, 400, "No objects chosen", subject.error().what, out);
    return reply(in, 200, object_of(*subject));
  }

  Message log_in(const Message& in, Instant now, Actions& out) {
    if (in.body.size() > context_.max_result)
      return refuse(in, 413, "Request entity too large", "no login is that long", out);
    auto given = read_request(in);
    // Without a fragment: it may be the password.
    if (!given) return unreadable(in, {given.error().code, "a login that cannot be read"}, out);
    const Credentials who{given->text("username"), Secret(given->text("password"))};
    if (who.user.empty()) return no_login(in, "no user name", out);
    if (!context_.logins)
      return refuse(in, 503, "Error creating session token after 5 attempts", "no logins here",
                    out);
    auto token = context_.logins->open(who, kLoginLife, now);
    if (!token) return no_login(in, token.error().what, out);
    Data data = Data::map().add("token", Data::text(token->reveal()));
    std::string shown = who.user;
    make_valid_utf8(shown);
    if (given->text("include_user_data") == "1") data.add("user_data", user_data(shown));
    return reply(in, 200, data);
  }

  Message log_out(const Message& in, Instant, Actions&) {
    if (auto session = session_of(in); session && context_.logins)
      context_.logins->close(session->secret);
    return reply(in, 200, texts({{"logout_via", "REST API"}}));
  }

  static Message no_login(const Message& in, std::string_view why, Actions& out) {
    Message m = refuse(in, 401, "Authentication failed", std::string(why), out);
    return challenged(std::move(m));
  }

  Message unauthorized(const Message& in, Actions& out) const {
    const std::string why =
        context_.auth_error.empty() ? "credentials are required" : context_.auth_error;
    return challenged(refuse(in, 401, "Not authenticated", why, out));
  }

  static Message challenged(Message m) {
    m.headers.push_back({"WWW-Authenticate", "Basic realm=\"Opsview\""});
    return m;
  }

  static Message wrong_method(const Message& in, const std::string& allowed, Actions& out) {
    Message m = refuse(in, 405, in.method + " is unimplemented", quoted(path_of(in.target)), out);
    m.headers.push_back({"Allow", allowed});
    return m;
  }

  static Message refuse(const Message& in, int status, std::string_view message,
                        const std::string& why, Actions& out) {
    out.refused.push_back({0, why});
    return refusal(in, status, message, why);
  }

  InboundContext context_;
  OwedAnswers<Owed> owed_;
};

}  // namespace

std::optional<Credentials> session_of(const Message& request) {
  const std::string* user = request.header(kUserHeader);
  const std::string* token = request.header(kTokenHeader);
  if (!token) return std::nullopt;
  // Both are needed: a token without its user is nobody's.
  return Credentials{user ? *user : std::string("\0", 1), Secret(*token)};
}

std::unique_ptr<Conversation> make_inbound(const InboundContext& context) {
  return std::make_unique<Serving>(context);
}

}  // namespace checkrelay::opsview
