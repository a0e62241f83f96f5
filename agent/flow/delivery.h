// One destination's sender: claims due records, cuts batches, lets conversations carry them, and
// tells the journal what became of each. Knows no clock and no socket. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/config.h"
#include "agent/flow/environment.h"
#include "agent/flow/heartbeat_post.h"
#include "agent/flow/look_back.h"
#include "agent/policy/outage.h"
#include "agent/policy/ramp.h"
#include "agent/policy/rate.h"
#include "agent/policy/retry.h"
#include "agent/port/dialect.h"
#include "agent/port/journal.h"
#include "agent/port/transport.h"

namespace checkrelay {

class Delivery {
 public:
  // `journal`, `env` and `outages` must outlive the delivery. Without `outages` there are none.
  Delivery(const DestinationConfig& config, LaneId lane, std::unique_ptr<Outbound> outbound,
           std::unique_ptr<Carrier> carrier, Journal& journal, const Environment& env,
           const OutageBooks* outages = nullptr);
  ~Delivery();  // what is in flight goes back to the journal
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void begin_with_backlog();  // of an agent that starts; where nothing waits it does nothing
  void tick(Instant now);     // claims what may go; spurious calls are no-ops
  [[nodiscard]] std::optional<Steady> deadline(Instant now) const;
  // Goes ahead of everything that waits, with the next free conversation, and is never kept: the
  // next one takes its place.
  void beat(CheckResult heartbeat) { heartbeats_.offer(std::move(heartbeat)); }
  void withdraw_beat() { heartbeats_.withdraw(); }
  void retire();  // claims nothing more; ends what its conversations shared once they are over
  [[nodiscard]] bool idle() const { return in_flight_ == 0 && !claiming_; }
  void cancel();
  // The operator's words for the upstream; `told` is called once, at a later turn. `test` asks with
  // the dialect's probe where it has no command of that name.
  [[nodiscard]] Result<void> command(std::span<const std::string> words,
                                     std::function<void(const CommandReport&)> told);

  [[nodiscard]] const DestinationConfig& config() const { return config_; }
  [[nodiscard]] LaneId lane() const { return lane_; }
  [[nodiscard]] const Breaker& breaker() const { return breaker_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }
  [[nodiscard]] const HeartbeatPost& heartbeats() const { return heartbeats_; }
  // Since when its breaker has not been ok.
  [[nodiscard]] std::optional<Steady> troubled() const { return troubled_; }
  [[nodiscard]] const ReadBack* read_back_found() const { return look_back_.found(); }

 private:
  struct Flight;
  struct Toll;
  void probe(std::function<void(const CommandReport&)> told);
  [[nodiscard]] bool paused() const;
  void look_back(Instant now);
  [[nodiscard]] bool beat_may_go(Instant now) const;
  [[nodiscard]] std::optional<Steady> beat_deadline(Instant now) const;
  void launch_beat(Instant now);
  void beat_landed(const Verdict& verdict, Steady began);
  // For what is no result: its bytes are paid for when they are known.
  [[nodiscard]] std::unique_ptr<Conversation> counted(std::unique_ptr<Conversation> conversation);
  [[nodiscard]] bool at_rest() const;  // so that nothing that is to be sent would have to wait
  void send_due(Instant now);
  [[nodiscard]] std::optional<Steady> send_deadline(Instant now) const;
  [[nodiscard]] std::size_t free_conversations(Steady now) const;
  [[nodiscard]] std::size_t wanted(Instant now);  // how many results to claim now
  void measure_pace(Steady now);
  [[nodiscard]] std::size_t wanted_bytes(std::size_t records, Steady now);
  [[nodiscard]] std::unique_ptr<Conversation> converse(std::span<const CheckResult> batch,
                                                       const std::shared_ptr<Toll>& toll);
  void put_back_ready();
  void take_leave();
  void launch_ready();
  [[nodiscard]] bool something_due(Instant now) const;
  [[nodiscard]] bool lingering(Instant now);
  void claimed(std::vector<Claim> claims);
  void launch(std::vector<Claim> claims);
  // What a planned outage says of a result: marks it, or how it is to be put off.
  [[nodiscard]] std::optional<Settlement> ruled(CheckResult& result, Seq seq, Instant now) const;
  void landed(const Flight& flight, const std::vector<Verdict>& verdicts);
  void note_state(Breaker::State before, const Verdict& cause, Steady now);

  DestinationConfig config_;
  LaneId lane_;
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<Carrier> carrier_;
  Journal& journal_;
  const Environment& env_;
  const OutageBooks* outages_;
  RetryOptions retry_;
  Breaker breaker_;
  std::size_t batch_max_;
  std::size_t max_in_flight_;
  Ramp ramp_;
  Duration linger_;
  TokenBucket bucket_;
  ByteBudget bytes_;
  LookBack look_back_;
  HeartbeatPost heartbeats_;
  bool beat_probed_ = false;  // the last conversation while there was trouble was a heartbeat's
  std::optional<Steady> troubled_;
  std::deque<Claim> ready_;  // claimed, and waiting for a free conversation
  std::optional<Steady> linger_until_;
  std::size_t in_flight_ = 0;  // conversations
  std::int64_t landed_ = 0;    // results, since pace_since_
  Steady pace_since_{};
  std::size_t ahead_ = 0;  // results to claim beyond what free conversations take
  bool claiming_ = false;
  bool retiring_ = false;
  bool took_leave_ = false;
  std::string last_error_;
  std::shared_ptr<Delivery*> self_;  // callbacks hold it weakly
};

}  // namespace checkrelay
