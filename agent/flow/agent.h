// The agent: everything that a configuration asks for, connected. Owns doors, listeners and
// deliveries; reloads without dropping a connection or a result; stops in order. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/flow/checks.h"
#include "agent/flow/delivery.h"
#include "agent/flow/door.h"
#include "agent/flow/environment.h"
#include "agent/flow/freshness_watch.h"
#include "agent/flow/intake.h"
#include "agent/flow/operator.h"
#include "agent/flow/outage_watches.h"
#include "agent/policy/heartbeat.h"
#include "agent/port/journal.h"
#include "agent/port/registry.h"

namespace checkrelay {

class Loop;

class Agent {
 public:
  // All references must outlive the agent.
  Agent(const Registry& registry, Journal& journal, Loop& loop, Environment env);
  ~Agent();

  // Opens what `config` asks for. At start every failure is an error; at a reload an intake that
  // cannot be opened is logged and left closed, and everything else is taken over.
  [[nodiscard]] Result<void> start(Config config);
  void reload(Config config);

  void tick(Instant now);  // after any event; spurious calls are no-ops
  void journal_polled();   // after Journal::poll(): intakes may read on
  [[nodiscard]] std::optional<Steady> deadline(Instant now) const;

  // Nothing new comes in and nothing new is claimed; replies and answers that are owed are awaited.
  void stop();
  [[nodiscard]] bool stopped() const;
  void cancel();  // gives up waiting for upstreams

  [[nodiscard]] Status status() const;
  [[nodiscard]] const Config& config() const { return config_; }

 private:
  struct OpenDoor {
    std::unique_ptr<Door> door{};
    std::unique_ptr<Listener> listener{};  // after `door`: it goes first
  };
  [[nodiscard]] Result<void> apply(Config config, bool strict);
  [[nodiscard]] Result<void> apply_destinations(const Config& config);
  [[nodiscard]] Result<void> ask_upstream(const std::string& name,
                                          std::span<const std::string> words, Operator::Told told);
  [[nodiscard]] Result<std::unique_ptr<Delivery>> build(const DestinationConfig& config,
                                                        LaneId lane);
  [[nodiscard]] Result<void> apply_intakes(const Config& config, bool strict);
  [[nodiscard]] Result<OpenDoor> open(const IntakeConfig& config, const Config& whole);
  // Two at once would double the destination's rate and sessions.
  [[nodiscard]] bool has_predecessor(const Delivery& d) const;
  [[nodiscard]] bool waits_for_predecessor(const Delivery& d) const;
  [[nodiscard]] std::vector<IntakeConfig> retire_unwanted(const Config& config);
  // What was open at the place of an intake that now cannot be opened is opened again.
  void reopen(const IntakeConfig& failed, const std::vector<IntakeConfig>& retired);
  void bury_retired();
  void free_held();
  void configure_heartbeat(const Config& config);
  void beat(Instant now);

  const Registry& registry_;
  Journal& journal_;
  Loop& loop_;
  Environment env_;
  Config config_;
  Instant started_;
  OutageWatches outages_;
  std::uint64_t outages_version_ = 0;  // that what is held was asked about
  Intake intake_;
  FreshnessWatch freshness_;
  Operator operator_;
  std::optional<Heartbeat> heartbeat_;  // none: there is none
  Checks checks_;
  std::vector<OpenDoor> doors_;
  std::vector<OpenDoor> retired_doors_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
  std::vector<std::unique_ptr<Delivery>> retired_deliveries_;
};

}  // namespace checkrelay
