// When a destination may try again, and what becomes of each result it could not deliver. Pure:
// (verdict, now) in, decision out; randomness arrives as a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/time.h"
#include "agent/port/journal.h"
#include "agent/port/verdict.h"

namespace checkrelay {

struct RetryOptions {
  Duration retry_min = std::chrono::seconds(1);
  Duration retry_max = std::chrono::minutes(5);
  Duration give_up_after{};                               // since acceptance; 0 = never
  Duration unknown_object_retry = std::chrono::hours(1);  // 0 = dead letter at once
  Duration spread{};  // what an upstream asks for is prolonged by up to this, and by up to as much
};

// A destination's health, and so whether it may send now. Trouble opens the breaker: one
// conversation at a time probes until one delivers.
class Breaker {
 public:
  enum class State { ok, backoff, auth, held, config };
  Breaker(RetryOptions options, std::uint64_t seed) : options_(options), random_(seed) {}

  // `batch_began`: when the conversation that brought the verdict started; trouble that began
  // before the present pause was decided on is old news and does not lengthen it.
  void record(const Verdict& verdict, Steady batch_began, Steady now);
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool probing() const { return state_ != State::ok; }
  // When the next conversation may begin; in the past = now.
  [[nodiscard]] Steady next_attempt() const { return next_; }

 private:
  [[nodiscard]] Duration jittered(Duration most);
  RetryOptions options_;
  std::uint64_t random_;
  State state_ = State::ok;
  unsigned failures_ = 0;
  Steady next_{};
  Steady decided_{};
};
[[nodiscard]] std::string_view to_string(Breaker::State s);

// What becomes of one claim. A result that failed `kSuspectTries` times is put aside, so that those
// behind it get their chance: it may be the culprit itself. Those that failed together come back
// apart (spread by `seq`), so that a culprit does not take its batch down again and again.
constexpr unsigned kSuspectTries = 3;
[[nodiscard]] Settlement settle(const Claim& claim, const Verdict& verdict,
                                const RetryOptions& options, Instant now);

}  // namespace checkrelay
