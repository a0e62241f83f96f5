// All sources of planned outages, and what is known of them. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/flow/outage_watch.h"

namespace checkrelay {

class OutageWatches {
 public:
  // All must outlive the watches.
  OutageWatches(const Registry& registry, Loop& loop, const Environment& env);

  void load() { store_.load(); }  // what a run before this one knew; before the first take()
  // The watches that a configuration asks for, in its order; nullptr for those that stand. Changes
  // nothing.
  using Fresh = std::vector<std::unique_ptr<OutageWatch>>;
  [[nodiscard]] Result<Fresh> prepare(const std::vector<OutagesConfig>& wanted);
  // REQUIRES: prepare() made `fresh` of `wanted`, and nothing was taken since. A watch that stands
  // keeps its session; one that is changed begins with the list that its predecessor had.
  void take(Fresh fresh, const std::vector<OutagesConfig>& wanted);

  void tick(Instant now);
  [[nodiscard]] std::optional<Steady> deadline() const;
  void stop();
  [[nodiscard]] OutageWatch* find(const std::string& name);
  [[nodiscard]] const OutageBooks& books() const { return books_; }
  [[nodiscard]] std::vector<KnownOutage> known(Wall now) const;
  [[nodiscard]] std::vector<OutagesStatus> status(Wall now) const;

 private:
  using Watches = std::vector<std::unique_ptr<OutageWatch>>;
  [[nodiscard]] Watches::iterator standing(const OutagesConfig& wanted);

  const Registry& registry_;
  Loop& loop_;
  const Environment& env_;
  OutageBooks books_;
  OutageStore store_;
  Watches watches_;
};

}  // namespace checkrelay
