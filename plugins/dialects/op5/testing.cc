// `upstream NAME test`: gives the command without a host, which is no result, and asks the core
// about itself. Rights come before fields: a user who may not command gets 401 or 403.
#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/op5/conversations.h"
#include "plugins/dialects/op5/filter.h"
#include "plugins/dialects/upstream_test.h"

namespace checkrelay::op5 {
namespace {

constexpr std::string_view kLost = " results are answered as if they were taken, and lost";

class Testing : public Conversation {
 public:
  Testing(const Settings& settings, std::shared_ptr<CommandReport> report)
      : settings_(settings), report_(std::move(report)) {
    test_.system = "OP5 Monitor";
  }

  void start(Instant, Actions& out) override {
    Message m = Message::request("POST", command_url(settings_.url, true), "{}");
    m.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    ask(std::move(m), out);
  }
  void receive(Message in, Instant now, Actions& out) override {
    if (over_) return;
    if (in.kind == Message::Kind::response) note_clock(test_, in, now.wall);
    const Verdict verdict = judge(in, settings_.login, now.wall);
    asked_core_ ? take_core(in, verdict, out) : take_command(verdict, out);
  }
  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  void ask(Message m, Actions& out) const {
    if (!settings_.login.user.empty()) m.credentials = settings_.login;
    out.send.push_back(std::move(m));
  }

  void take_command(const Verdict& verdict, Actions& out) {
    using J = Judgement;
    remark_on_settings();
    if (verdict.judgement == J::delivered) {
      test_.remarks.insert(test_.remarks.begin(),
                           "it confirms even a command without a host: " + verdict.answer);
    } else if (verdict.judgement == J::unknown_object || verdict.judgement == J::rejected) {
      test_.may_submit = UpstreamTest::May::yes;
    } else {
      if (verdict.judgement == J::auth) remark_on_module();
      tell_failure(std::move(test_), verdict, settings_.login, *report_);
      return end(verdict, out);
    }
    asked_core_ = true;
    Message m = Message::request("GET", core_url(settings_.url));
    m.headers = {{"Accept", "application/json"}};
    ask(std::move(m), out);
  }

  void take_core(const Message& in, const Verdict& verdict, Actions& out) {
    const bool good = in.kind == Message::Kind::response && in.status == 200;
    auto core = good ? parse_core(in.body) : fail(Errc::unavailable, verdict.answer);
    if (core) {
      test_.version = core->version;
      if (core->takes_services == false)
        test_.remarks.push_back("passive service checks are off at this server:" +
                                std::string(kLost));
      if (core->takes_hosts == false)
        test_.remarks.push_back("passive host checks are off at this server:" + std::string(kLost));
    } else {
      test_.remarks.push_back(
          "the filter API does not tell of the core, and `verify` would not work: " +
          core.error().what);
    }
    tell(test_, settings_.login, *report_);
    end({0, Judgement::delivered, "done", std::nullopt}, out);
  }

  void remark_on_settings() {
    if (settings_.url.starts_with("http://") && !settings_.login.secret.empty())
      test_.remarks.push_back("url is http, so the password travels readable: use https");
  }

  void remark_on_module() {
    const std::string& user = settings_.login.user;
    const std::size_t at = user.find('$');
    if (user.empty()) return test_.remarks.push_back("no username is configured");
    test_.remarks.push_back(
        at == std::string::npos
            ? "the server's default authentication module was asked; NAME$MODULE picks another"
            : "the authentication module " + checkrelay::quoted(user.substr(at + 1)) +
                  " was asked; one that the server does not have looks like a wrong password");
  }

  void end(Verdict verdict, Actions& out) {
    over_ = true;
    verdict.item = 0;
    out.verdicts.push_back(std::move(verdict));
    out.close = true;
  }

  Settings settings_;
  std::shared_ptr<CommandReport> report_;
  UpstreamTest test_{};
  bool asked_core_ = false;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<Conversation> make_test(const Settings& settings,
                                        std::shared_ptr<CommandReport> report) {
  return std::make_unique<Testing>(settings, std::move(report));
}

}  // namespace checkrelay::op5
