// One [[outages]] table at work: asks its source for the list again and again, and keeps the book
// of it in OutageBooks. While the source is away the last list counts, up to `max_stale`; then
// there is none, and nothing is marked or held (fail open). Both are said once. A local outage asks
// nobody. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/flow/environment.h"
#include "agent/policy/outage.h"
#include "agent/port/outage_source.h"
#include "agent/port/registry.h"

namespace checkrelay {

class Loop;

class OutageWatch {
 public:
  // All references must outlive the watch. The book in `books`, if there is one under this name,
  // counts until the first list is there.
  [[nodiscard]] static Result<std::unique_ptr<OutageWatch>> build(const OutagesConfig& config,
                                                                  const Registry& registry,
                                                                  Loop& loop, OutageBooks& books,
                                                                  const Environment& env);
  OutageWatch(const OutagesConfig& config, std::unique_ptr<OutageSource> source,
              std::unique_ptr<Carrier> carrier, OutageBooks& books, const Environment& env);
  ~OutageWatch();
  OutageWatch(const OutageWatch&) = delete;
  OutageWatch& operator=(const OutageWatch&) = delete;

  void tick(Instant now);
  [[nodiscard]] std::optional<Steady> deadline() const;
  void stop();  // asks no more
  [[nodiscard]] const OutagesConfig& config() const { return config_; }

  // The operator's words; `done` is called once, at a later turn.
  using Told = std::function<void(const CommandReport&)>;
  [[nodiscard]] Result<void> command(std::span<const std::string> words, Told done);

 private:
  void fetch();
  void fetched(const OutageList& list, const std::vector<Verdict>& verdicts);
  void take(const OutageList& list, Instant now);
  void missed(const std::string& why, Instant now);
  void publish(std::vector<PlannedOutage> outages, std::vector<std::string> complaints);

  OutagesConfig config_;
  std::unique_ptr<OutageSource> source_;  // none: local
  std::unique_ptr<Carrier> carrier_;
  OutageBooks& books_;
  const Environment& env_;
  OutageReading reading_{};
  Steady next_{};   // when the list is asked for again
  Steady fresh_{};  // when it was last there
  bool fetching_ = false;
  bool away_ = false;   // told
  bool stale_ = false;  // told
  bool stopped_ = false;
  std::vector<std::string> complaints_;  // told
  std::shared_ptr<OutageWatch*> self_;   // callbacks hold it weakly
};

// What the agent knows of, for those who ask.
[[nodiscard]] std::vector<KnownOutage> known_outages(const OutageBooks& books, Wall now);

}  // namespace checkrelay
