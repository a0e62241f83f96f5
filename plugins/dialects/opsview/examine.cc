// What a server and this user's rights at it are like.
#include "agent/base/text.h"
#include "plugins/dialects/opsview/command.h"
#include "plugins/dialects/opsview/talk.h"
#include "plugins/dialects/upstream_test.h"

namespace checkrelay::opsview {
namespace {

using May = UpstreamTest::May;

// /rest/detail takes results since version 6.
bool is_older_than_detail(std::string_view version) {
  const auto major = parse_integer(version.substr(0, version.find('.')), 0, 1000);
  return major && *major < 6;
}

class Examining : public Talk {
 public:
  Examining(std::shared_ptr<const Settings> settings, std::shared_ptr<CommandReport> report)
      : Talk(std::move(settings), std::make_shared<Session>()), report_(std::move(report)) {
    test_.system = "Opsview";
  }

  void receive(Message in, Instant now, Actions& out) override {
    note_clock(test_, in, now.wall);
    Talk::receive(std::move(in), now, out);
  }

 protected:
  void proceed(Instant, Actions& out) override {
    const std::string& url = settings().url;
    if (step_ == Step::logout) return ask(logout_request(url), out);
    ask(get_request(url, step_ == Step::info   ? "/info"
                         : step_ == Step::user ? "/user"
                                               : "/reload"),
        out);
  }

  void heard(Answer answer, Instant now, Actions& out) override {
    const bool good = answer.sense == Answer::Sense::good;
    if (step_ == Step::logout || (!good && answer.judgement == Judgement::transient))
      return end(verdict(answer), out);
    if (step_ == Step::info) take_info(answer, good);
    if (step_ == Step::user) take_user(answer, good);
    if (step_ == Step::reload) take_reload(answer, good);
    step_ = static_cast<Step>(static_cast<int>(step_) + 1);
    proceed(now, out);
  }

  // What was found stands, whatever becomes of the logout.
  void end(const Verdict& verdict, Actions& out) override {
    const bool whole = step_ == Step::logout;
    whole ? tell(test_, settings().login, *report_)
          : tell_failure(test_, verdict, settings().login, *report_);
    out.verdicts.push_back(whole ? Talk::verdict(Judgement::delivered, in_words())
                                 : Verdict(verdict));
    out.verdicts.back().item = 0;
    out.close = true;
  }

 private:
  enum class Step { info, user, reload, logout };

  void remark(std::string text) { test_.remarks.push_back(std::move(text)); }

  void take_info(const Answer& answer, bool good) {
    if (!good) return remark("it does not say what it is: " + answer.words);
    test_.version = answer.data.text_of("opsview_version");
    if (settings().form == Form::detail && is_older_than_detail(test_.version))
      remark("versions before 6 have no /rest/detail: set submit = \"status\"");
  }

  // Which right submitting takes is in no document; the actions beside it take one of these.
  void take_user(const Answer& answer, bool good) {
    const Data* rights = answer.data.find("access_list");
    if (!good || !rights || !rights->is_map())
      return remark("it does not say what this user may do: " + answer.words);
    const bool all = rights->find("ACTIONALL") != nullptr;
    const bool some = rights->find("ACTIONSOME") != nullptr;
    test_.may_submit = all || some ? May::yes : May::no;
    if (test_.may_submit == May::no)
      test_.remarks.insert(
          test_.remarks.begin(),
          "this user has neither ACTIONALL nor ACTIONSOME, one of which submitting "
          "results takes: give its role one");
    if (some && !all)
      remark("ACTIONSOME: this user may submit for those objects alone that its role gives it");
  }

  void take_reload(const Answer& answer, bool good) {
    const auto status = good ? read_reload(answer.data) : std::nullopt;
    if (!status)
      return remark(
          "it does not show its reloads (RELOADVIEW): a result that comes amid one may "
          "be taken for one of an unknown object: " +
          answer.words);
    const std::string words = status->messages.empty() ? "" : ": " + status->messages;
    if (status->server_status == 1) remark("it reloads: results wait until that is over");
    if (status->server_status == 2) remark("Opsview is not running: results wait" + words);
    if (status->server_status == 3) remark("its configuration has errors" + words);
    if (status->server_status == 4) remark("its configuration has warnings" + words);
    if (status->pending)
      remark(
          "changes of its configuration wait for a reload: objects that they make take no "
          "results before");
  }

  [[nodiscard]] std::string in_words() const {
    std::string words = "Opsview " + test_.version;
    if (test_.may_submit == May::yes) words += "; may submit results";
    for (const std::string& text : test_.remarks) words += "; " + text;
    return words;
  }

  std::shared_ptr<CommandReport> report_;
  UpstreamTest test_{};
  Step step_ = Step::info;
};

}  // namespace

std::unique_ptr<Conversation> make_examination(std::shared_ptr<const Settings> settings,
                                               std::shared_ptr<CommandReport> report) {
  return std::make_unique<Examining>(std::move(settings), std::move(report));
}

}  // namespace checkrelay::opsview
