#include <algorithm>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/groundwork/conversations.h"
#include "plugins/dialects/groundwork/door.h"
#include "plugins/dialects/owed_answers.h"

namespace checkrelay::groundwork {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kXml = "application/xml";
constexpr std::string_view kText = "text/plain";
constexpr auto kTokenLife =
    std::chrono::hours(8);  // the server's default, counted from its last use

std::string media_in(const Message& m, std::string_view header) {
  const std::string* value = m.header(header);
  return value ? lower(trimmed(std::string_view(*value).substr(0, value->find(';')))) : "";
}

bool is_encoded(const Message& request) {
  const std::string* encoding = request.header("Content-Encoding");
  return encoding && !equals_ignoring_case(trimmed(*encoding), "identity");
}

// One of the server's habits: its refusals have a body only for who accepts exactly one type.
Message refusal(const Message& request, int status, std::string_view error) {
  const std::string* accept = request.header("Accept");
  const bool xml = accept && *accept == kXml;
  if (!xml && !(accept && *accept == kJson)) return Message::response(status, "", kText);
  return Message::response(status, write_error(status, error, xml), xml ? kXml : kJson);
}

Message text_reply(int status, std::string text) {
  return Message::response(status, std::move(text), kText);
}

Message not_allowed() {
  Message m = text_reply(405, "POST alone is taken here");
  m.headers.push_back({"Allow", "POST"});
  return m;
}

std::string location_of(const Subject& s) {
  if (s.is_host()) return "/api/hosts/" + percent_encoded(s.host);
  return "/api/services/" + percent_encoded(s.service) + "?hostName=" + percent_encoded(s.host);
}

class Serving : public Conversation {
 public:
  explicit Serving(InboundContext context) : context_(std::move(context)) {}

  void start(Instant, Actions&) override {}

  void receive(Message in, Instant now, Actions& out) override {
    if (in.kind != Message::Kind::request) return;
    Owed& owed = owed_.add();
    owed.reply = take(in, owed, now, out);
    owed_.flush(out);
  }

  void finish(Instant, Actions& out) override { owed_.finish(out); }

  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    owed_.settle(ticket, [&](const Owed& owed) { return respond(owed, outcomes); });
    owed_.flush(out);
  }

 private:
  struct Owed : OwedAnswer {
    bool hosts = false;
    bool xml = false;  // the answer
    std::vector<Taken> items{};
  };

  // Submits, or has the answer at once.
  std::optional<Message> take(const Message& in, Owed& owed, Instant now, Actions& out) {
    const Place place = place_of(std::string_view(in.target).substr(0, in.target.find('?')));
    switch (place) {
      case Place::login:
        return in.method == "POST" ? log_in(in, now, out) : not_allowed();
      case Place::logout:
        return in.method == "POST" ? log_out(in) : not_allowed();
      case Place::validate:
        return in.method == "POST" ? text_reply(200, context_.authenticated ? "true" : "false")
                                   : not_allowed();
      case Place::hosts:
      case Place::services:
        return take_batch(in, owed, place == Place::hosts, out);
      case Place::none:
        break;
    }
    return text_reply(404, "");
  }

  Message log_in(const Message& in, Instant now, Actions& out) const {
    const Form form = form_of(in);
    for (std::string_view name : {"user", "password", "gwos-app-name"}) {
      auto at = form.find(name);
      if (at == form.end() || at->second.empty())
        return text_reply(400, "missing: " + std::string(name));
    }
    if (!context_.logins) return text_reply(503, "nobody can log in here");
    const std::string& app_name = form.find("gwos-app-name")->second;
    const bool xml = media_in(in, "Accept") == kXml;
    for (const Credentials& login : logins_of(form)) {
      auto token = context_.logins->open(login, kTokenLife, now);
      if (token)
        return Message::response(200, bound_token(token->reveal(), app_name), xml ? kXml : kText);
    }
    out.refused.push_back({0, "login: wrong user or password"});
    return text_reply(401, "user name or password is wrong");
  }

  Message log_out(const Message& in) const {
    auto session = session_of(in);
    if (!session || !context_.authenticated || !context_.logins) return text_reply(404, "");
    context_.logins->close(session->secret);
    return text_reply(200, "");
  }

  std::optional<Message> take_batch(const Message& in, Owed& owed, bool hosts, Actions& out) {
    if (!context_.authenticated) return unauthorized(in, out);
    if (in.method != "POST") return not_allowed();
    if (is_encoded(in)) return refuse(in, 415, "a Content-Encoding is not taken here", out);
    const std::string type = media_in(in, "Content-Type");
    const bool xml = type == kXml || (type.empty() && trimmed(in.body).starts_with('<'));
    if (!xml && !type.empty() && type != kJson)
      return refuse(in, 415, "Content-Type: " + quoted(type) + " is neither JSON nor XML", out);
    auto batch = read_batch(in.body, hosts, xml, context_.max_result);
    if (!batch) return refuse(in, 400, batch.error().what, out);
    const std::string accept = media_in(in, "Accept");
    owed.hosts = hosts;
    owed.xml = accept == kXml || (xml && accept != kJson);
    owed.items = std::move(batch->items);
    return submit(owed, batch->mended, out);
  }

  static std::optional<Message> submit(Owed& owed, std::size_t mended, Actions& out) {
    Submission submission;
    submission.ticket = owed.ticket;
    submission.mended = mended;
    for (std::size_t i = 0; i < owed.items.size(); ++i) {
      Taken& item = owed.items[i];
      if (item.fault.empty()) {
        submission.results.push_back(std::move(item.result));
        item.result = {};
        item.result.subject = submission.results.back().subject;
      } else {
        out.refused.push_back({i + 1, item.fault});
      }
    }
    if (submission.results.empty()) return respond(owed, {});
    out.submit.push_back(std::move(submission));
    return std::nullopt;
  }

  Message unauthorized(const Message& in, Actions& out) const {
    const bool token = in.header("GWOS-API-TOKEN") != nullptr;
    const bool app = in.header("GWOS-APP-NAME") != nullptr || in.header("APP-NAME") != nullptr;
    if (token != app)
      return refuse(in, 400, std::string(token ? "GWOS-APP-NAME" : "GWOS-API-TOKEN") + ": missing",
                    out);
    out.refused.push_back({0, context_.auth_error.empty() ? "no token" : context_.auth_error});
    Message m = refusal(in, 401, "Unauthorized");
    m.headers.push_back({"WWW-Authenticate", "Basic realm=\"checkrelay\""});
    return m;
  }

  static Message refuse(const Message& in, int status, const std::string& why, Actions& out) {
    out.refused.push_back({0, why});
    return refusal(in, status, why);
  }

  // A feeder never sends again what a results document calls a failure, so trouble of ours is the
  // whole request's, which it does send again.
  static Message respond(const Owed& owed, std::span<const Outcome> outcomes) {
    std::vector<Report> reports;
    std::size_t next = 0;
    for (const Taken& item : owed.items) {
      if (!item.fault.empty()) {
        reports.push_back({"failure", item.entity, item.fault, ""});
        continue;
      }
      const Outcome o = outcome_at(outcomes, next++);
      if (!o.ok && o.code != Errc::invalid && o.code != Errc::refused) return trouble(o);
      reports.push_back(o.ok ? Report{"success", item.entity, "", location_of(item.result.subject)}
                             : Report{"failure", item.entity, o.error, ""});
    }
    return Message::response(200, write_results(reports, owed.hosts, owed.xml),
                             owed.xml ? kXml : kJson);
  }

  static Message trouble(const Outcome& o) {
    Message m = text_reply(o.code == Errc::full ? 507 : 503, o.error);
    m.headers.push_back({"Retry-After", "5"});
    return m;
  }

  InboundContext context_;
  OwedAnswers<Owed> owed_;
};

}  // namespace

std::unique_ptr<Conversation> make_inbound(const InboundContext& context) {
  return std::make_unique<Serving>(context);
}

}  // namespace checkrelay::groundwork
