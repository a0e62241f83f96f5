#include "agent/flow/checks.h"

#include <algorithm>
#include <utility>

#include "agent/base/text.h"
#include "agent/config/checks.h"

namespace checkrelay {
namespace {

constexpr int kStartsATurn = 4;  // with what comes in between, where many are due at once
constexpr std::size_t kMostOutput = 64 * 1024;  // bytes of a result

std::size_t kept_output(const Config& config) {
  const auto most = static_cast<std::size_t>(config.limits.integer("max_result"));
  return std::min(most, kMostOutput);
}

}  // namespace

Checks::Checks(Intake& intake, const Environment& env)
    : intake_(intake), env_(env), runs_(env.seed), self_(std::make_shared<Checks*>(this)) {}

Checks::~Checks() = default;

Result<Checks::Fresh> Checks::prepare(const Config& config) const {
  Fresh fresh;
  if (config.checks.empty()) return fresh;
  if (!env_.children) return fail(Errc::unsupported, "check: nothing here runs programs");
  const Account self = own_account();
  for (const CheckConfig& c : config.checks) {
    const Subject subject = subject_of(c);
    auto command = child_command(c, self, kept_output(config));
    if (!command)
      return fail(command.error().code,
                  "check " + to_string(subject) + ": user: " + command.error().what);
    fresh[subject] = {std::move(*command), run_timing(c), c.options.duration("ttl")};
  }
  return fresh;
}

void Checks::take(Fresh fresh, const Config& config) {
  checks_ = std::move(fresh);
  std::vector<std::pair<Subject, RunTiming>> wanted;
  for (const CheckConfig& c : config.checks) {  // in the order in which they are written
    const Subject subject = subject_of(c);
    const Check& check = checks_.at(subject);
    wanted.emplace_back(subject, check.timing);
    if (check.timing.every.count() != 0 && check.command.timeout > check.timing.every)
      log(Level::warn, "check: timeout is longer than every; a slow run leaves out the next",
          {{"check", to_string(subject)}});
  }
  const long long most = config.limits.integer("max_concurrent_checks");
  runs_.configure(wanted, static_cast<std::size_t>(std::max(most, 1LL)), env_.now());
}

void Checks::tick(Instant now) {
  if (stopped_) return;
  for (int n = 0; n < kStartsATurn; ++n) {
    const auto subject = runs_.take(now);
    if (!subject) return tell_skipped(now);
    start(*subject);
  }
  env_.kick();  // there may be more
}

void Checks::start(const Subject& subject) {
  const ChildCommand& command = checks_.at(subject).command;
  env_.children->start(
      command, [self = std::weak_ptr(self_), subject, command](const ChildOutcome& outcome) {
        if (auto alive = self.lock()) (*alive)->ended(subject, command, outcome);
      });
}

void Checks::ended(const Subject& subject, const ChildCommand& command,
                   const ChildOutcome& outcome) {
  const bool gone = outcome.end != ChildOutcome::End::hangs;
  if (gone) runs_.ended(subject);
  env_.kick();
  if (gone && hanging_.erase(subject) > 0) return;  // was told when it hung
  if (!gone) hanging_.insert(subject);
  const auto check = checks_.find(subject);
  if (stopped_ || outcome.stopped || check == checks_.end()) return;
  const Instant now = env_.now();
  std::uint64_t mended = 0;
  CheckResult result = plugin_result({subject, command, now.wall}, outcome, mended);
  intake_.note_mended(mended);
  result.ttl = check->second.ttl;
  submit(std::move(result), now);
}

void Checks::submit(CheckResult result, Instant now) {
  const std::string name = to_string(result.subject);
  std::vector<CheckResult> one;
  one.push_back(std::move(result));
  intake_.submit(std::move(one), now,
                 [self = std::weak_ptr(self_), name](const std::vector<Outcome>& outcomes) {
                   auto alive = self.lock();
                   if (!alive || outcomes.empty() || outcomes[0].ok) return;
                   Checks& checks = **alive;
                   std::uint64_t more = 0;
                   if (checks.refusal_gate_.open(checks.env_.now(), more))
                     log(Level::warn, "check: the result was refused",
                         {{"check", name}, {"error", outcomes[0].error}, {"more", more}});
                 });
}

void Checks::tell_skipped(Instant now) {
  const std::uint64_t skipped = runs_.counts().skipped;
  std::uint64_t held = 0;
  if (skipped == told_skipped_ || !skip_gate_.open(now, held)) return;
  log(Level::warn, "check: no run, since the one before is not over",
      {{"check", to_string(runs_.last_skipped())}, {"skipped", skipped - told_skipped_}});
  told_skipped_ = skipped;
}

std::optional<Steady> Checks::deadline(Instant now) const {
  if (stopped_) return std::nullopt;
  return runs_.deadline(now);
}

void Checks::stop() {
  stopped_ = true;
  if (env_.children) env_.children->stop();
}

void Checks::cancel() {
  if (stopped_ && env_.children) env_.children->kill();
}

bool Checks::stopped() const { return !env_.children || env_.children->idle(); }

ChecksStatus Checks::status() const {
  ChecksStatus s;
  s.configured = checks_.size();
  s.running = runs_.running();
  s.waiting = runs_.waiting();
  s.runs = runs_.counts().runs;
  s.late = runs_.counts().late;
  s.skipped = runs_.counts().skipped;
  s.worst_late = runs_.counts().worst_late;
  return s;
}

}  // namespace checkrelay
