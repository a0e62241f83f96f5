#include "plugins/dialects/opmantek/source.h"

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/dialects/opmantek/talk.h"

namespace checkrelay::opmantek {
namespace {

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
             Command command, std::shared_ptr<CommandReport> report)
      : Talk(std::move(settings), std::move(session)),
        command_(std::move(command)),
        report_(std::move(report)) {}

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
    if (command_.verb == Command::Verb::test) return take_test(answer, now, out);
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
    const bool no = judgement == Judgement::rejected;
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

  void take_test(const Message& answer, Instant now, Actions& out) {
    auto list = parse_list(answer.body);
    if (!list) return fail_with(Judgement::transient, list.error().what, out);
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("system").text("Opmantek outages API");
    json.key("url").text(settings().url + settings().api + "/outages");
    json.key("outages").integer(static_cast<std::int64_t>(list->outages.size()));
    json.key("not_understood").begin_array();
    for (const std::string& c : list->complaints) json.text(c);
    json.end_array();
    const std::string* date = answer.header("Date");
    if (auto there = date ? parse_http_date(*date) : std::nullopt)
      json.key("clock_difference_s").number(to_seconds(*there - now.wall));
    json.end_object();
    done(std::move(text), out);
  }

  Command command_;
  std::shared_ptr<CommandReport> report_;
  std::string changed_{};  // update: what is to be written, once it is known
};

// Login trouble ends a conversation without its own words in the report; they are put there.
class Reporting : public Conversation {
 public:
  Reporting(std::unique_ptr<Conversation> inner, std::shared_ptr<CommandReport> report)
      : inner_(std::move(inner)), report_(std::move(report)) {}
  void start(Instant now, Actions& out) override {
    inner_->start(now, out);
    note(out);
  }
  void receive(Message in, Instant now, Actions& out) override {
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
    if (!report_->what.empty() || report_->end == CommandReport::End::done) return;
    for (const Verdict& v : out.verdicts) report_->what = v.answer;
  }
  std::unique_ptr<Conversation> inner_;
  std::shared_ptr<CommandReport> report_;
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
    auto inner = std::make_unique<Commanding>(settings_, session_, std::move(*command), report);
    return std::make_unique<Reporting>(std::move(inner), std::move(report));
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
