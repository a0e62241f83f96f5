#include "plugins/dialects/opsview/command.h"

#include "agent/base/text.h"
#include "plugins/dialects/opsview/talk.h"

namespace checkrelay::opsview {
namespace {

constexpr std::string_view kUsage =
    "test; info; reload status; reload start [--wait] [--changelog TEXT]";
constexpr std::string_view kChangelog = "--changelog";

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(Errc::invalid, what + "; there are: " + std::string(kUsage));
}

Result<Command> parse_start(std::span<const std::string> words) {
  Command command{Command::Verb::reload_start, {}};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string with_equals = std::string(kChangelog) + "=";
    if (words[i].starts_with(with_equals)) {
      command.changelog = words[i].substr(with_equals.size());
    } else if (words[i] == kChangelog && i + 1 < words.size()) {
      command.changelog = words[++i];
    } else if (words[i] == kChangelog) {
      return wrong("--changelog wants a text");
    } else {
      return wrong("reload start: " + quoted(words[i]) + " is no option of it");
    }
  }
  return command;
}

class Commanding : public Talk {
 public:
  Commanding(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session,
             Command command, std::shared_ptr<CommandReport> report)
      : Talk(std::move(settings), std::move(session)),
        command_(std::move(command)),
        report_(std::move(report)) {}

 protected:
  void proceed(Instant, Actions& out) override {
    const std::string& url = settings().url;
    if (is_start()) return ask(reload_request(url, command_.changelog), out);
    ask(get_request(url, command_.verb == Command::Verb::info ? "/info" : "/reload"), out);
  }

  void heard(Answer answer, Instant now, Actions& out) override {
    auto status = command_.verb == Command::Verb::info ? std::nullopt : read_reload(answer.data);
    if (is_start() && refused_as_running(answer, status))
      return end(verdict(Judgement::held, "a reload is running already: " + answer.words), out);
    if (answer.sense != Answer::Sense::good) return end(verdict(answer), out);
    if (status) session().note(*status, now.steady);
    if (is_start()) session().note_reloading(now.steady);
    report_->end = CommandReport::End::done;
    report_->json = to_json(answer.data);
    close({0, Judgement::delivered, answer.words, std::nullopt}, out);
  }

  void end(const Verdict& verdict, Actions& out) override {
    const bool away =
        verdict.judgement == Judgement::transient || verdict.judgement == Judgement::config;
    report_->end = away ? CommandReport::End::unreachable : CommandReport::End::refused;
    report_->what = verdict.answer;
    close(verdict, out);
  }

 private:
  [[nodiscard]] bool is_start() const { return command_.verb == Command::Verb::reload_start; }

  // Where every status is made a 200, only the words are left.
  static bool refused_as_running(const Answer& answer, const std::optional<ReloadStatus>& status) {
    if (answer.sense == Answer::Sense::reloading) return true;
    return status && lower(status->messages).find("already running") != std::string::npos;
  }

  static void close(const Verdict& verdict, Actions& out) {
    out.verdicts.push_back(verdict);
    out.close = true;
  }

  Command command_;
  std::shared_ptr<CommandReport> report_;
};

}  // namespace

Result<Command> parse_command(std::span<const std::string> words) {
  if (words.size() == 1 && words[0] == "info") return Command{};
  if (words.size() >= 2 && words[0] == "reload") {
    if (words[1] == "start") return parse_start(words.subspan(2));
    if (words[1] == "status" && words.size() == 2) return Command{Command::Verb::reload_status, {}};
  }
  return wrong(words.empty() ? "what to ask is missing" : quoted(words[0]) + " is not understood");
}

std::unique_ptr<Conversation> make_command(std::shared_ptr<const Settings> settings,
                                           std::shared_ptr<Session> session, Command command,
                                           std::shared_ptr<CommandReport> report) {
  return std::make_unique<Commanding>(std::move(settings), std::move(session), std::move(command),
                                      std::move(report));
}

}  // namespace checkrelay::opsview
