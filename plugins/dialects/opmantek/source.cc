#include "plugins/dialects/opmantek/source.h"

#include <algorithm>

#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/opmantek/talk.h"
#include "plugins/dialects/upstream_test.h"

namespace checkrelay::opmantek {
namespace {

constexpr std::size_t kMostRemarks = 5;  // about single outages

void remark(const OutageList& list, const Settings& settings, UpstreamTest& test) {
  std::vector<std::string>& out = test.remarks;
  const std::size_t bad = list.complaints.size();
  for (std::size_t i = 0; i < std::min(bad, kMostRemarks); ++i)
    out.push_back("left out: " + list.complaints[i]);
  if (bad > kMostRemarks) out.push_back(std::to_string(bad - kMostRemarks) + " more are left out");
  if (settings.api.find("/v2") != std::string::npos)
    out.push_back("this version of the API tells of no outage that has elements: set api to v3");
  out.push_back("outages that this user can read: " + std::to_string(list.outages.size()) +
                "; whether it may change them shows when it does");
}

class Fetching : public Talk {
 public:
  Fetching(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session,
           std::shared_ptr<OutageList> list)
      : Talk(std::move(settings), std::move(session)), list_(std::move(list)) {}

 protected:
  void proceed(Actions& out) override { ask(outages_request(settings(), "GET", ""), out); }
  void heard(const Message& answer, const Sense& what, Instant now, Actions& out) override {
    if (!is_good(answer)) return end(answer, what, now, out);
    auto list = parse_list(answer.body);
    if (!list) return end(Judgement::transient, shown(list.error().what), out);
    *list_ = std::move(*list);
    end(Judgement::delivered, std::to_string(list_->outages.size()) + " outages", out);
  }

 private:
  std::shared_ptr<OutageList> list_;
};

class Commanding : public Talk {
 public:
  Commanding(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session,
             Command command, std::shared_ptr<CommandReport> report,
             std::shared_ptr<UpstreamTest> test)
      : Talk(std::move(settings), std::move(session)),
        command_(std::move(command)),
        report_(std::move(report)),
        test_(std::move(test)) {}

 protected:
  void proceed(Actions& out) override {
    using Verb = Command::Verb;
    switch (command_.verb) {
      case Verb::test:
      case Verb::list:
        return ask(outages_request(settings(), "GET", ""), out);
      case Verb::create:
        return ask(outages_request(settings(), "POST", "", create_body(command_.wish)), out);
      case Verb::remove:
        return ask(outages_request(settings(), "DELETE", command_.id), out);
      case Verb::get:
      case Verb::update:
        if (changed_.empty()) return ask(outages_request(settings(), "GET", command_.id), out);
        return ask(outages_request(settings(), "PUT", command_.id, changed_), out);
    }
  }

  void heard(const Message& answer, const Sense& what, Instant now, Actions& out) override {
    if (!is_good(answer)) return give_up(answer, what, now, out);
    if (command_.verb == Command::Verb::test) return take_test(answer, out);
    if (command_.verb == Command::Verb::update && changed_.empty())
      return take_present(answer, out);
    auto json = compact(answer.body);
    if (!json) return fail_with(Judgement::transient, json.error().what, out);
    done(std::move(*json), out);
  }

 private:
  void done(std::string json, Actions& out) {
    report_->end = CommandReport::End::done;
    report_->json = std::move(json);
    end(Judgement::delivered, "done", out);
  }

  void fail_with(Judgement judgement, std::string_view words, Actions& out) {
    const bool no = judgement == Judgement::rejected || judgement == Judgement::auth;
    report_->end = no ? CommandReport::End::refused : CommandReport::End::unreachable;
    report_->what = shown(words);
    end(judgement, report_->what, out);
  }

  void give_up(const Message& answer, const Sense& what, Instant now, Actions& out) {
    (void)now;
    fail_with(judgement(answer, what), what.words, out);
  }

  // Updates are absolute, so what is there is read first.
  void take_present(const Message& answer, Actions& out) {
    auto body = update_body(answer.body, command_.wish);
    if (!body) {
      const bool no = body.error().code == Errc::refused;
      return fail_with(no ? Judgement::rejected : Judgement::transient, body.error().what, out);
    }
    changed_ = std::move(*body);
    proceed(out);
  }

  void take_test(const Message& answer, Actions& out) {
    auto list = parse_list(answer.body);
    if (!list) return fail_with(Judgement::transient, list.error().what, out);
    remark(*list, settings(), *test_);
    tell(*test_, settings().login, *report_);
    end(Judgement::delivered, "done", out);
  }

  Command command_;
  std::shared_ptr<CommandReport> report_;
  std::shared_ptr<UpstreamTest> test_;
  std::string changed_{};  // update: what is to be written, once it is known
};

// Login trouble ends a conversation without its own words in the report; they are put there. A
// test learns the clock from every answer.
class Reporting : public Conversation {
 public:
  Reporting(std::unique_ptr<Conversation> inner, std::shared_ptr<const Settings> settings,
            std::shared_ptr<CommandReport> report, std::shared_ptr<UpstreamTest> test)
      : inner_(std::move(inner)),
        settings_(std::move(settings)),
        report_(std::move(report)),
        test_(std::move(test)) {}
  void start(Instant now, Actions& out) override {
    inner_->start(now, out);
    note(out);
  }
  void receive(Message in, Instant now, Actions& out) override {
    if (test_) note_clock(*test_, in, now.wall);
    inner_->receive(std::move(in), now, out);
    note(out);
  }
  void finish(Instant now, Actions& out) override {
    inner_->finish(now, out);
    note(out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  void note(const Actions& out) {
    if (report_->end == CommandReport::End::done) return;
    for (const Verdict& v : out.verdicts) {
      if (test_) return tell_failure(*test_, v, settings_->login, *report_);
      if (v.judgement == Judgement::auth) report_->end = CommandReport::End::refused;
      if (report_->what.empty()) report_->what = v.answer;
    }
  }
  std::unique_ptr<Conversation> inner_;
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<CommandReport> report_;
  std::shared_ptr<UpstreamTest> test_;  // none: not a test
};

class Source : public OutageSource {
 public:
  explicit Source(Settings settings)
      : settings_(std::make_shared<const Settings>(std::move(settings))) {}

  std::unique_ptr<Conversation> fetch(std::shared_ptr<OutageList> list) override {
    return std::make_unique<Fetching>(settings_, session_, std::move(list));
  }
  Result<std::unique_ptr<Conversation>> command(std::span<const std::string> words,
                                                std::shared_ptr<CommandReport> report) override {
    auto command = parse_command(words);
    if (!command) return tl::unexpected(command.error());
    std::shared_ptr<UpstreamTest> test;
    if (command->verb == Command::Verb::test) test = std::make_shared<UpstreamTest>();
    if (test) test->system = "NMIS outages";
    auto inner =
        std::make_unique<Commanding>(settings_, session_, std::move(*command), report, test);
    return std::make_unique<Reporting>(std::move(inner), settings_, std::move(report), test);
  }

 private:
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_ = std::make_shared<Session>();
};

}  // namespace

std::unique_ptr<OutageSource> make_source(Settings settings) {
  return std::make_unique<Source>(std::move(settings));
}

}  // namespace checkrelay::opmantek
