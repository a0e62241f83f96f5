// Freshness at work: hears of every result that is taken, keeps what changes in the journal with
// it, and makes of what did not come a result of its own, which goes the way of all results. What a
// run before this one left comes from the journal. What could not be stored is as if it had not
// been: a report was none, and what was to be told is told later. Loop thread only.
//
// Notes of the journal: number 0 is the site's, n + 1 that of the subject n.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/flow/environment.h"
#include "agent/flow/intake.h"
#include "agent/flow/status.h"
#include "agent/policy/freshness.h"
#include "agent/policy/outage.h"
#include "agent/port/journal.h"

namespace checkrelay {

class FreshnessWatch : public ResultWatch {
 public:
  // All must outlive the watch.
  FreshnessWatch(Journal& journal, Intake& intake, const OutageBooks& outages,
                 const Environment& env);

  // The first time also begins: with the notes of runs before this one.
  void configure(const std::vector<FreshnessConfig>& wanted, const std::string& hostname);
  std::optional<FreshnessChange> taken(const CheckResult& result, Instant now,
                                       std::vector<Note>& notes) override;
  void not_stored(const FreshnessChange& change, bool noted) override;

  void tick(Instant now);
  [[nodiscard]] std::optional<Steady> deadline(Instant now) const;
  void stop();  // says nothing any more, and notes until when it watched

  // The operator's word; false: it is not known.
  bool forget(const Subject& subject);
  [[nodiscard]] FreshnessStatus status() const;
  [[nodiscard]] const Freshness& engine() const { return engine_; }
  [[nodiscard]] const std::vector<FreshnessConfig>& configs() const { return configs_; }

 private:
  void restore();
  void restore_note(std::uint32_t number, std::string_view body, std::size_t& unreadable);
  [[nodiscard]] std::string site_note() const;
  void note_subject(Freshness::Id id, std::vector<Note>& notes) const;
  void note_site(Instant now, std::vector<Note>& notes);
  void note_awaited(Instant now);
  [[nodiscard]] std::optional<Wall> outage_until(const Subject& subject, Wall t) const;
  void tell(std::vector<FreshnessNews> news, Instant now);
  void told(const std::vector<FreshnessNews>& news, const std::vector<Outcome>& outcomes);

  Journal& journal_;
  Intake& intake_;
  const OutageBooks& outages_;
  const Environment& env_;
  std::vector<FreshnessConfig> configs_;  // as the engine's entries
  std::string hostname_;
  Freshness engine_{{}};
  bool begun_ = false, stopped_ = false;
  std::uint64_t outages_version_ = 0;  // that the engine knows of
  std::optional<Steady> site_due_{};   // of the site's note; none: nobody is watched yet
  Steady site_noted_{};
  Duration noted_shift_{};
  Steady tell_again_{};                    // the journal did not take what was told
  std::shared_ptr<FreshnessWatch*> self_;  // callbacks hold it weakly
};

}  // namespace checkrelay
