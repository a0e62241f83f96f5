// The local checks: runs plugins when they are due, and hands what they say to the intake, like any
// other result. Loop thread only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "agent/base/log.h"
#include "agent/config/config.h"
#include "agent/flow/environment.h"
#include "agent/flow/intake.h"
#include "agent/flow/status.h"
#include "agent/policy/plugin_result.h"
#include "agent/policy/runs.h"

namespace checkrelay {

class Checks {
 public:
  Checks(Intake& intake, const Environment& env);  // both must outlive this
  ~Checks();
  Checks(const Checks&) = delete;
  Checks& operator=(const Checks&) = delete;

  // What a configuration asks for; changes nothing. Error: a check that cannot be run as its user.
  struct Check {
    ChildCommand command{};
    RunTiming timing{};
    Duration ttl{};
  };
  using Fresh = std::map<Subject, Check>;
  [[nodiscard]] Result<Fresh> prepare(const Config& config) const;
  // A check whose timing stands keeps its phase, and what runs goes on: its result counts as long
  // as its subject is checked.
  void take(Fresh fresh, const Config& config);

  void tick(Instant now);
  [[nodiscard]] std::optional<Steady> deadline(Instant now) const;
  void stop();    // ends what runs; its results are nobody's
  void cancel();  // at once
  [[nodiscard]] bool stopped() const;
  [[nodiscard]] ChecksStatus status() const;

 private:
  void start(const Subject& subject);
  void ended(const Subject& subject, const ChildCommand& command, const ChildOutcome& outcome);
  void submit(CheckResult result, Instant now);
  void tell_skipped(Instant now);

  Intake& intake_;
  const Environment& env_;
  Runs runs_;
  Fresh checks_;
  std::set<Subject> hanging_;  // told, and not gone yet
  bool stopped_ = false;
  std::uint64_t told_skipped_ = 0;
  LogGate skip_gate_{};
  LogGate refusal_gate_{};
  std::shared_ptr<Checks*> self_;  // callbacks hold it weakly
};

}  // namespace checkrelay
