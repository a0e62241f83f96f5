#include "agent/policy/retry.h"

#include <algorithm>
#include <array>

#include "agent/policy/random.h"

namespace checkrelay {
namespace {

constexpr Duration kLongestHold =
    std::chrono::hours(1);  // an upstream cannot ask for more, whatever it says
constexpr Duration kShortestPause = std::chrono::milliseconds(10);
constexpr unsigned kUnknownTries = 12;  // how often an unknown object is offered within its window
constexpr unsigned kFewestUnknownTries = 3;  // so that a clock that jumped does not decide alone

Duration doubled(Duration first, Duration most, unsigned times) {
  for (; times > 0 && first < most; --times) first *= 2;
  return std::min(first, most);
}

bool gave_up(const Claim& claim, const RetryOptions& options, Instant now) {
  return options.give_up_after > Duration{} && now.wall - claim.received >= options.give_up_after;
}

Settlement later(Settlement s, Steady due) {
  s.end = Settlement::End::later;
  s.due = due;
  return s;
}

Settlement unknown_object(Settlement s, const Claim& claim, const RetryOptions& options,
                          Instant now) {
  Duration window = options.unknown_object_retry;
  bool over = claim.first_unknown && now.wall - *claim.first_unknown >= window &&
              claim.tries + 1 >= kFewestUnknownTries;
  if (window == Duration{} || over || gave_up(claim, options, now)) {
    s.end = Settlement::End::dead;
    return s;
  }
  s.unknown_object = true;
  return later(std::move(s),
               now.steady + std::max<Duration>(window / kUnknownTries, kShortestPause));
}

}  // namespace

std::string_view to_string(Breaker::State s) {
  constexpr std::array<std::string_view, 5> kNames{"ok", "backoff", "auth", "held", "config"};
  return kNames[static_cast<std::size_t>(s)];
}

Duration Breaker::jittered(Duration most) {
  auto d = Duration(
      static_cast<std::int64_t>(next_fraction(random_) * static_cast<double>(most.count())));
  return std::max(d, kShortestPause);
}

void Breaker::record(const Verdict& v, Steady batch_began, Steady now) {
  if (v.local) return;
  if (v.judgement == Judgement::delivered || v.judgement == Judgement::rejected ||
      v.judgement == Judgement::unknown_object) {
    state_ = State::ok;  // it answered about the item: it is there and lets us in
    failures_ = 0;
    next_ = {};
    return;
  }
  if (probing() && batch_began <= decided_) return;
  decided_ = now;
  Duration asked =
      std::min(v.retry_after.value_or(Duration{}), std::max(kLongestHold, options_.retry_max));
  switch (v.judgement) {
    case Judgement::auth:
      state_ = State::auth;
      next_ = now + options_.retry_max / 2 + jittered(options_.retry_max / 2);
      break;
    case Judgement::config:
      state_ = State::config;
      next_ = now + options_.retry_max / 2 + jittered(options_.retry_max / 2);
      break;
    case Judgement::held:  // it is well and said what it wants: no failure that would add up
      state_ = State::held;
      next_ =
          now + asked + jittered(std::max(options_.retry_min, std::min(asked, options_.spread)));
      return;
    default:
      state_ = v.retry_after ? State::held : State::backoff;
      next_ = now + asked +
              jittered(std::max(doubled(options_.retry_min, options_.retry_max, failures_),
                                std::min(asked, options_.spread)));
  }
  failures_ = std::min(failures_ + 1, 63U);
}

Settlement settle(const Claim& claim, const Verdict& v, const RetryOptions& options, Instant now) {
  Settlement s;
  s.seq = claim.seq;
  s.answer = v.answer;
  switch (v.judgement) {
    case Judgement::delivered:
      s.end = Settlement::End::delivered;
      return s;
    case Judgement::rejected:
      s.end = Settlement::End::dead;
      return s;
    case Judgement::unknown_object:
      return unknown_object(std::move(s), claim, options, now);
    case Judgement::auth:
    case Judgement::config:
    case Judgement::held:
      s.end = Settlement::End::put_back;
      s.tried = false;
      return s;
    case Judgement::transient:
      break;
  }
  if (gave_up(claim, options, now)) {
    s.end = Settlement::End::dead;
    return s;
  }
  if (claim.tries + 1 < kSuspectTries) return s;
  Duration half = doubled(options.retry_min, options.retry_max, claim.tries) / 2;
  std::uint64_t spread = claim.seq;
  Duration more(
      static_cast<std::int64_t>(next_fraction(spread) * static_cast<double>(half.count())));
  return later(std::move(s), now.steady + std::max(half + more, kShortestPause));
}

}  // namespace checkrelay
