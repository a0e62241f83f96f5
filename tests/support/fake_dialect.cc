#include "tests/support/fake_dialect.h"

#include "agent/base/text.h"

namespace checkrelay {
namespace {

class Inbound : public Conversation {
 public:
  explicit Inbound(InboundContext context) : context_(std::move(context)) {}
  void start(Instant, Actions&) override {}
  void finish(Instant, Actions& out) override { out.close = true; }
  void receive(Message in, Instant, Actions& out) override {
    if (!context_.authenticated) {
      out.send.push_back(Message::response(401, "fake: " + context_.auth_error, "text/plain"));
      return;
    }
    Submission& s = out.submit.emplace_back();
    s.ticket = 7;
    for (std::string_view line : split(in.body, '\n')) {
      CheckResult& r = s.results.emplace_back();
      r.subject.host = line;
      r.id = "id-" + std::string(line);
    }
  }
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    std::string body = ticket == 7 ? "" : "wrong ticket\n";
    for (const Outcome& o : outcomes)
      body += o.ok ? "ok " + o.id + "\n"
                   : std::to_string(static_cast<int>(o.code)) + " " + o.error + "\n";
    out.send.push_back(Message::response(200, body, "text/plain"));
  }

 private:
  InboundContext context_;
};

}  // namespace

std::unique_ptr<Conversation> FakeDialect::inbound(const InboundContext& c) const {
  if (c.framing == Framing::datagram) return nullptr;
  return std::make_unique<Inbound>(c);
}

Result<std::unique_ptr<Outbound>> FakeDialect::outbound(const Options& o) const {
  if (o.flag("broken")) return fail(Errc::invalid, "broken on purpose");
  return std::make_unique<ScriptedOutbound>();
}

}  // namespace checkrelay
