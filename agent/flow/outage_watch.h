// One [[outages]] table at work: asks its source for the list again and again, and keeps the book
// of it in OutageBooks and, over restarts, in the OutageStore. While the source is away the last
// list counts, up to `max_stale` since it was fetched; then there is none, and nothing is marked or
// held (fail open). Both are said once. A local outage asks nobody. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/flow/environment.h"
#include "agent/flow/outage_store.h"
#include "agent/flow/status.h"
#include "agent/policy/outage.h"
#include "agent/port/outage_source.h"
#include "agent/port/registry.h"

namespace checkrelay {

class Loop;

class OutageWatch {
 public:
  // What the watches share. All must outlive them.
  struct Shelf {
    OutageBooks& books;
    OutageStore& store;
    const Environment& env;
  };
  // Touches nothing before begin().
  [[nodiscard]] static Result<std::unique_ptr<OutageWatch>> build(const OutagesConfig& config,
                                                                  const Registry& registry,
                                                                  Loop& loop, const Shelf& shelf);
  OutageWatch(const OutagesConfig& config, std::unique_ptr<OutageSource> source,
              std::unique_ptr<Carrier> carrier, const Shelf& shelf);
  ~OutageWatch();
  OutageWatch(const OutageWatch&) = delete;
  OutageWatch& operator=(const OutageWatch&) = delete;

  void begin();  // with the list that was kept, where one was
  void tick(Instant now);
  [[nodiscard]] std::optional<Steady> deadline() const;
  void stop();  // asks no more
  [[nodiscard]] const OutagesConfig& config() const { return config_; }
  [[nodiscard]] OutagesStatus status(Wall now) const;

  // The operator's words; `done` is called once, at a later turn.
  using Told = std::function<void(const CommandReport&)>;
  [[nodiscard]] Result<void> command(std::span<const std::string> words, Told done);

 private:
  void begin_with(const KeptOutages& kept, Instant now);
  void fetch();
  void fetched(OutageList& list, const std::vector<Verdict>& verdicts);
  void take(OutageList& list, Instant now);
  void missed(const std::string& why);
  void expire(Instant now);
  void publish(std::vector<PlannedOutage> outages, std::vector<std::string> complaints);
  [[nodiscard]] std::optional<Steady> stale_at() const;

  OutagesConfig config_;
  std::unique_ptr<OutageSource> source_;  // none: local
  std::unique_ptr<Carrier> carrier_;
  Shelf shelf_;
  OutageReading reading_{};
  Duration max_stale_{};
  Steady next_{};                   // when the list is asked for again
  std::optional<Steady> listed_{};  // when the list that counts was there
  Wall fetched_{};                  // the same by the wall clock; of one that is stale too
  std::optional<Steady> purge_{};   // when something may be over for good
  bool fetching_ = false;
  bool away_ = false;  // told
  bool stopped_ = false;
  std::string last_error_{};
  std::shared_ptr<const OutageBook> book_{};
  std::vector<std::string> complaints_{};  // told, of the source
  std::size_t left_out_ = 0;
  std::shared_ptr<OutageWatch*> self_;  // callbacks hold it weakly
};

}  // namespace checkrelay
