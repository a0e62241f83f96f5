#include "agent/config/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using Kind = OptionKind;
using namespace std::chrono_literals;

constexpr Duration kLeastEvery = 100ms;
constexpr Duration kTimeout = 30s;  // as the row has it
constexpr std::array<std::string_view, 3> kOthers{"host", "service", "command"};

// What a login shell of Debian's has, root's and everybody's.
constexpr std::string_view kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

constexpr std::array kRows{
    OptionRow{.name = "every", .kind = Kind::duration, .doc = "how often it runs"},
    OptionRow{.name = "schedule", .doc = "or when: cron, or systemd's OnCalendar"},
    OptionRow{.name = "timezone", .doc = "of the schedule; default: this system's"},
    OptionRow{.name = "timeout",
              .kind = Kind::duration,
              .fallback = "30s",
              .doc = "then it is ended; by default never more than `every`"},
    OptionRow{.name = "spread",
              .kind = Kind::duration,
              .doc = "checks alike share this evenly; default: `every`, with a schedule 0s"},
    OptionRow{.name = "jitter",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "each run comes up to this much later, at random"},
    OptionRow{.name = "ttl",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "each result promises the next one within this; 0s = it does not"},
    OptionRow{
        .name = "environment",
        .kind = Kind::list,
        .doc = "NAME=VALUE; nothing else but PATH, LANG, HOME, USER, LOGNAME and SHELL is set"},
    OptionRow{.name = "user", .doc = "who runs it, where the agent is root; default: the agent's"},
};

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

class ChecksReader {
 public:
  ChecksReader(Reader& reader, const std::string& hostname)
      : reader_(reader), hostname_(hostname) {}
  void table(const Node& table);
  std::vector<CheckConfig> take() { return std::move(checks_); }

 private:
  void fault(std::string_view key, std::string what);  // of the present table
  [[nodiscard]] std::string name(std::string_view key, std::string fallback);
  [[nodiscard]] std::vector<std::string> command();
  void check_timing(Options& o);
  void check_schedule(const Options& o);
  void check_durations(const Options& o);
  void check_environment(const Options& o);
  void check_user(const Options& o);
  void check_subject(const CheckConfig& check);

  Reader& reader_;
  const std::string& hostname_;
  const Node* table_ = nullptr;
  std::string where_{};
  std::map<Subject, int> lines_{};
  std::vector<CheckConfig> checks_{};
};

void ChecksReader::fault(std::string_view key, std::string what) {
  const Node* item = table_->find(key);
  reader_.fault(item ? item->line : table_->line, dotted(where_, key), std::move(what));
}

std::string ChecksReader::name(std::string_view key, std::string fallback) {
  const Node* item = table_->find(key);
  if (!item) return fallback;
  if (item->kind != Node::Kind::text) {
    fault(key, fmt::format("expected a string, got {}", kind_name(item->kind)));
    return fallback;
  }
  if (auto good = check_name(key, item->text); !good) fault(key, good.error().what);
  return item->text.empty() ? fallback : item->text;
}

std::vector<std::string> ChecksReader::command() {
  const Node* item = table_->find("command");
  std::vector<std::string> out;
  if (!item) return fault("command", "is required"), out;
  if (item->kind != Node::Kind::array) {
    fault("command", fmt::format("expected an array, the program and its arguments, got {}; there "
                                 "is no shell",
                                 kind_name(item->kind)));
    return out;
  }
  for (const Node& word : item->items) {
    if (word.kind != Node::Kind::text)
      return fault("command", fmt::format("expected strings only, got {}", kind_name(word.kind))),
             out;
    if (has_nul(word.text)) return fault("command", "holds a NUL: " + quoted(word.text)), out;
    out.push_back(word.text);
  }
  if (out.empty() || out[0].empty()) {
    fault("command", "names no program");
  } else if (out[0].find('/') != std::string::npos && out[0][0] != '/') {
    fault("command", quoted(out[0]) + " is neither an absolute path nor a name for PATH");
  }
  return out;
}

void ChecksReader::check_schedule(const Options& o) {
  if (auto schedule = Schedule::parse(o.text("schedule")); !schedule)
    fault("schedule", schedule.error().what);
  if (auto zone = Zone::find(o.text("timezone")); !zone) fault("timezone", zone.error().what);
}

void ChecksReader::check_timing(Options& o) {
  const bool by_calendar = o.has("schedule");
  if (by_calendar && o.has("every")) {
    fault("schedule", "given together with every");
  } else if (by_calendar) {
    check_schedule(o);
  } else if (!o.has("every")) {
    if (!table_->find("every") && !table_->find("schedule"))
      fault("every", "is required, or schedule");
  } else if (o.duration("every") < kLeastEvery) {
    fault("every",
          o.duration("every").count() == 0 ? "must not be zero" : "must not be less than 100ms");
  }
  if (!by_calendar && o.has("timezone")) fault("timezone", "goes with schedule");
  if (!table_->find("timeout") && o.has("every"))
    o.set("timeout", std::min(kTimeout, o.duration("every")));
  check_durations(o);
}

void ChecksReader::check_durations(const Options& o) {
  if (table_->find("timeout") && o.duration("timeout").count() == 0)
    fault("timeout", "must not be zero");
  if (!o.has("every")) return;
  const Duration every = o.duration("every");
  if (o.duration("spread") > every) fault("spread", "must not be more than every");
  if (o.duration("jitter") >= every && o.duration("jitter").count() != 0)
    fault("jitter", "must be less than every");
  if (o.duration("ttl").count() != 0 && o.duration("ttl") <= every + o.duration("jitter"))
    fault("ttl", "must be more than every and jitter, or each result breaks its promise");
}

void ChecksReader::check_environment(const Options& o) {
  for (const std::string& text : o.list("environment"))
    if (text.find('=') == std::string::npos || text[0] == '=' || has_nul(text))
      fault("environment", quoted(text) + " is not NAME=VALUE");
}

void ChecksReader::check_user(const Options& o) {
  if (!o.has("user")) return;
  if (!find_account(o.text("user"))) fault("user", "no user is called " + quoted(o.text("user")));
}

void ChecksReader::check_subject(const CheckConfig& check) {
  const auto [other, first] = lines_.emplace(subject_of(check), table_->line);
  if (!first)
    reader_.fault(table_->line, where_,
                  fmt::format("{} is what line {} checks already",
                              quoted(to_string(subject_of(check))), other->second));
}

void ChecksReader::table(const Node& table) {
  table_ = &table;
  where_ = "check";
  CheckConfig out;
  out.service = name("service", "");
  if (!out.service.empty()) where_ = dotted("check", out.service);
  out.host = name("host", hostname_);
  out.command = command();
  const std::size_t before = reader_.fault_count();
  reader_.options(table, where_, kRows, kOthers, out.options);
  reader_.fallbacks(table, where_, kRows, out.options);
  if (reader_.fault_count() == before) {
    check_timing(out.options);
    check_environment(out.options);
    check_user(out.options);
  }
  check_subject(out);
  checks_.push_back(std::move(out));
}

// What the configuration sets stands in place of ours.
std::vector<std::string> environment_of(const CheckConfig& check, const Account& who) {
  std::vector<std::string> out = check.options.list("environment");
  auto set = [&](std::string assignment) {
    const bool there = std::any_of(out.begin(), out.end(), [&](const std::string& other) {
      return name_of(other) == name_of(assignment);
    });
    if (!there) out.push_back(std::move(assignment));
  };
  set(std::string(kPath));
  set("LANG=C.UTF-8");
  set("HOME=" + who.home);
  set("USER=" + who.name);
  set("LOGNAME=" + who.name);
  set("SHELL=/bin/sh");
  return out;
}

}  // namespace

std::span<const OptionRow> check_rows() { return kRows; }

std::vector<CheckConfig> read_checks(Reader& reader, const Node& root,
                                     const std::string& hostname) {
  ChecksReader checks(reader, hostname);
  if (const Node* list = root.find("check"))
    for (const Node& table : reader.tables(*list)) checks.table(table);
  return checks.take();
}

Subject subject_of(const CheckConfig& check) { return {check.host, check.service}; }

RunTiming run_timing(const CheckConfig& check) {
  const Options& o = check.options;
  RunTiming t;
  t.every = o.duration("every");
  t.jitter = o.duration("jitter");
  t.spread = o.has("spread") ? o.duration("spread") : t.every;
  if (!o.has("schedule")) return t;
  if (auto schedule = Schedule::parse(o.text("schedule"))) t.schedule = *schedule;
  if (auto zone = Zone::find(o.text("timezone"))) t.zone = *zone;
  return t;
}

Result<ChildCommand> child_command(const CheckConfig& check, const Account& self,
                                   std::size_t keep) {
  ChildCommand out;
  out.arguments = check.command;
  out.timeout = check.options.duration("timeout");
  out.keep = keep;
  Account who = self;
  if (check.options.has("user")) {
    const std::string name = check.options.text("user");
    auto other = find_account(name);
    if (!other) return fail(Errc::refused, "no user is called " + quoted(name));
    if (other->uid != self.uid && self.uid != 0)
      return fail(Errc::refused, fmt::format("only an agent that is root can run it as {}; this "
                                             "one is {}",
                                             quoted(name), quoted(self.name)));
    who = std::move(*other);
    if (who.uid != self.uid) out.account = who;
  }
  out.environment = environment_of(check, who);
  return out;
}

}  // namespace checkrelay
