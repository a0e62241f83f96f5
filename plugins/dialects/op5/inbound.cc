#include "agent/base/text.h"
#include "plugins/dialects/op5/conversations.h"
#include "plugins/dialects/owed_answers.h"

namespace checkrelay::op5 {
namespace {

Message outcome_reply(const Outcome& outcome, bool host) {
  if (outcome.ok) return success(host);
  switch (outcome.code) {
    case Errc::invalid:
      return refusal(400, "Bad Request", outcome.error);
    case Errc::refused:
      return refusal(403, "Forbidden", outcome.error);
    case Errc::full:
      return refusal(507, "Insufficient Storage", outcome.error);
    default:
      return refusal(503, "Service Unavailable", outcome.error);
  }
}

// Which command a path names: true for the host's, none for neither.
std::optional<bool> command_of(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with(kCommandPath)) return std::nullopt;
  path.remove_prefix(kCommandPath.size());
  if (path == command_name(true)) return true;
  if (path == command_name(false)) return false;
  return std::nullopt;
}

class Serving : public Conversation {
 public:
  explicit Serving(InboundContext context) : context_(std::move(context)) {}

  void start(Instant, Actions&) override {}
  void receive(Message in, Instant, Actions& out) override {
    if (in.kind != Message::Kind::request) return;
    Owed& owed = owed_.add();
    owed.reply = take(in, owed, out);
    owed_.flush(out);
  }
  void finish(Instant, Actions& out) override { owed_.finish(out); }
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    owed_.settle(ticket, [&](const Owed& owed) {
      return outcome_reply(outcome_at(outcomes, 0), owed.host);
    });
    owed_.flush(out);
  }

 private:
  struct Owed : OwedAnswer {
    bool host = false;
  };

  // Submits, or says why not.
  std::optional<Message> take(const Message& in, Owed& owed, Actions& out) {
    if (!context_.authenticated) return unauthorized(out);
    auto host = command_of(in.target);
    if (!host) return refuse(404, "Not Found", "no such command: " + quoted(in.target), out);
    if (in.method != "POST") return wrong_method(in.method, out);
    if (in.body.size() > context_.max_result) {
      return refuse(413, "Request Entity Too Large",
                    "a result has at most " + std::to_string(context_.max_result) + " bytes", out);
    }
    const std::string* type = in.header("Content-Type");
    auto result = parse_request(*host, in.body, type ? *type : "");
    if (!result) return refuse(400, "Bad Request", result.error().what, out);
    owed.host = *host;
    Submission submission;
    submission.ticket = owed.ticket;
    submission.results.push_back(std::move(*result));
    out.submit.push_back(std::move(submission));
    return std::nullopt;
  }

  Message unauthorized(Actions& out) const {
    std::string why =
        context_.auth_error.empty() ? "credentials are required" : context_.auth_error;
    Message m = refuse(401, "Unauthorized", why, out);
    m.headers.push_back({"WWW-Authenticate", "Basic realm=\"op5 Monitor API Access\""});
    return m;
  }

  static Message wrong_method(std::string_view method, Actions& out) {
    Message m = refuse(405, "Method Not Allowed", quoted(method) + " is not POST", out);
    m.headers.push_back({"Allow", "POST"});
    return m;
  }

  static Message refuse(int status, std::string_view error, const std::string& why, Actions& out) {
    out.refused.push_back({0, why});
    return refusal(status, error, why);
  }

  InboundContext context_;
  OwedAnswers<Owed> owed_;
};

}  // namespace

std::unique_ptr<Conversation> make_inbound(const InboundContext& context) {
  return std::make_unique<Serving>(context);
}

}  // namespace checkrelay::op5
