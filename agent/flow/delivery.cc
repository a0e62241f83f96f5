#include "agent/flow/delivery.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/base/log.h"
#include "agent/flow/metered.h"
#include "agent/model/packed.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatchBytes = 1U << 20U;  // one conversation's worth
// What the upstream takes in this time is claimed ahead of a free conversation, since a claim may
// wait for a commit that is being synced. No more: what is claimed can no longer be superseded.
constexpr Duration kAhead = 20ms;
constexpr std::size_t kMostAhead = 1024;  // results
constexpr Duration kPaceOver = 5ms;       // at least
// Results that are unpacked and written anew take a few microseconds each: what is more waits for
// the next turn, or large batches for many conversations would stop the loop.
constexpr std::size_t kLaunchedATurn = 1024;
constexpr Duration kLongestHold = 60s;  // then the outages are asked again: one may be cancelled

RetryOptions retry_options(const Options& o) {
  return {o.duration("retry_min"), o.duration("retry_max"), o.duration("give_up_after"),
          o.duration("unknown_object_retry"), o.duration("spread")};
}

template <typename Claims>
std::size_t bytes_of(const Claims& claims) {
  std::size_t bytes = 0;
  for (const Claim& c : claims) bytes += c.body.size();
  return bytes;
}

std::size_t at_least_one(long long n) { return static_cast<std::size_t>(std::max(n, 1LL)); }

std::vector<Settlement> all_put_back(const std::vector<Claim>& claims) {
  std::vector<Settlement> settlements;
  for (const Claim& c : claims) {
    Settlement& s = settlements.emplace_back();
    s.seq = c.seq;
    s.tried = false;
  }
  return settlements;
}

}  // namespace

// What a conversation has paid for in advance, by the size of its records, and what it has sent.
struct Delivery::Toll {
  std::size_t paid = 0;
  std::size_t sent = 0;
};

// One conversation's batch, without the bodies.
struct Delivery::Flight {
  std::vector<Claim> claims{};
  Steady began{};
  std::shared_ptr<Toll> toll = std::make_shared<Toll>();
};

Delivery::Delivery(const DestinationConfig& config, LaneId lane, std::unique_ptr<Outbound> outbound,
                   std::unique_ptr<Carrier> carrier, Journal& journal, const Environment& env,
                   const OutageBooks* outages)
    : config_(config),
      lane_(lane),
      outbound_(std::move(outbound)),
      carrier_(std::move(carrier)),
      journal_(journal),
      env_(env),
      outages_(outages),
      retry_(retry_options(config.options)),
      breaker_(retry_, env.seed ^ (lane + 1)),
      batch_max_(at_least_one(config.options.integer("batch_max"))),
      max_in_flight_(at_least_one(config.options.integer("max_in_flight"))),
      ramp_(config.options.duration("spread"), max_in_flight_, config.options.number("rate")),
      linger_(config.options.duration("batch_linger")),
      bucket_(config.options.number("rate"), batch_max_),
      bytes_(static_cast<std::size_t>(config.options.integer("bandwidth"))),
      look_back_(outbound_->reads_back(), *carrier_, env),
      self_(std::make_shared<Delivery*>(this)) {}

Delivery::~Delivery() {
  took_leave_ = true;
  retire();
  carrier_->cancel();
}

void Delivery::cancel() {
  took_leave_ = true;
  carrier_->cancel();
}

void Delivery::begin_with_backlog() {
  if (journal_.stats().lanes[lane_].pending > 0) ramp_.begin(env_.now().steady);
}

void Delivery::retire() {
  retiring_ = true;
  put_back_ready();
  take_leave();
}

void Delivery::put_back_ready() {
  if (ready_.empty()) return;
  journal_.settle(lane_, all_put_back({ready_.begin(), ready_.end()}));
  bucket_.refund(ready_.size());
  bytes_.refund(bytes_of(ready_), env_.now().steady);
  ready_.clear();
}

bool Delivery::paused() const { return journal_.stats().lanes[lane_].paused.has_value(); }

std::size_t Delivery::free_conversations(Steady now) const {
  std::size_t conversations = breaker_.probing() ? 1 : ramp_.conversations(now);
  return conversations - std::min(conversations, in_flight_);
}

std::size_t Delivery::wanted(Instant now) {
  if (ramp_.next(now.steady) > now.steady) return 0;
  std::size_t want = free_conversations(now.steady) * batch_max_;
  const bool free = bucket_.unlimited() && bytes_.unlimited() && !ramp_.rising(now.steady);
  if (!breaker_.probing() && free) want += ahead_;
  want -= std::min(want, ready_.size());
  return std::min(want, bucket_.available(now.steady));
}

std::size_t Delivery::wanted_bytes(std::size_t records, Steady now) {
  return std::min(kBatchBytes * (records / batch_max_ + 1), bytes_.available(now));
}

void Delivery::measure_pace(Steady now) {
  const Duration elapsed = now - pace_since_;
  if (elapsed < kPaceOver) return;
  const auto taken = static_cast<std::size_t>(landed_ * kAhead.count() / elapsed.count());
  ahead_ = std::min(taken, kMostAhead);
  landed_ = 0;
  pace_since_ = now;
}

bool Delivery::something_due(Instant now) const {
  const LaneStats& lane = journal_.stats().lanes[lane_];
  return lane.claimable || (lane.next_due && *lane.next_due <= now.steady);
}

bool Delivery::lingering(Instant now) {
  if (linger_ == Duration{} || journal_.stats().lanes[lane_].pending >= batch_max_) return false;
  if (!linger_until_) linger_until_ = now.steady + linger_;
  return now.steady < *linger_until_;
}

void Delivery::tick(Instant now) {
  send_due(now);
  look_back(now);
}

void Delivery::send_due(Instant now) {
  if (paused()) put_back_ready();
  if (retiring_ || paused() || breaker_.next_attempt() > now.steady) return;
  launch_ready();
  measure_pace(now.steady);
  std::size_t count = claiming_ ? 0 : wanted(now);
  const std::size_t bytes = wanted_bytes(count, now.steady);
  if (count == 0 || bytes == 0 || !something_due(now) || lingering(now)) return;
  linger_until_.reset();
  claiming_ = true;
  journal_.claim(
      lane_, count, bytes,
      [self = std::weak_ptr(self_), &journal = journal_, lane = lane_](std::vector<Claim> claims) {
        if (auto alive = self.lock()) return (*alive)->claimed(std::move(claims));
        journal.settle(lane, all_put_back(claims));
      });
}

std::optional<Steady> Delivery::deadline(Instant now) const {
  std::optional<Steady> earliest;
  for (const auto due :
       {send_deadline(now), beat_deadline(now), at_rest() ? look_back_.due() : std::nullopt})
    if (due && (!earliest || *due < *earliest)) earliest = due;
  return earliest;
}

std::optional<Steady> Delivery::send_deadline(Instant now) const {
  if (retiring_ || claiming_ || free_conversations(now.steady) == 0) return std::nullopt;
  const LaneStats& lane = journal_.stats().lanes[lane_];
  if (!lane.claimable && !lane.next_due) return std::nullopt;
  Steady due = lane.claimable ? now.steady : *lane.next_due;
  due = std::max({due, breaker_.next_attempt(), bucket_.next(now.steady), bytes_.next(now.steady),
                  ramp_.next(now.steady)});
  return linger_until_ ? std::max(due, *linger_until_) : due;
}

void Delivery::claimed(std::vector<Claim> claims) {
  claiming_ = false;
  bucket_.take(claims.size());
  bytes_.charge(bytes_of(claims), env_.now().steady);
  std::move(claims.begin(), claims.end(), std::back_inserter(ready_));
  if (retiring_ || paused() || breaker_.next_attempt() > env_.now().steady) {
    put_back_ready();
    return take_leave();
  }
  launch_ready();
  env_.kick();
}

void Delivery::launch_ready() {
  launch_beat(env_.now());
  std::size_t launched = 0;
  while (!ready_.empty() && free_conversations(env_.now().steady) > 0) {
    if (launched >= kLaunchedATurn) return env_.kick();
    launched += std::min(batch_max_, ready_.size());
    auto end = ready_.begin() + static_cast<std::ptrdiff_t>(std::min(batch_max_, ready_.size()));
    std::vector<Claim> claims(std::make_move_iterator(ready_.begin()),
                              std::make_move_iterator(end));
    ready_.erase(ready_.begin(), end);
    launch(std::move(claims));
  }
}

void Delivery::launch(std::vector<Claim> claims) {
  std::vector<CheckResult> batch;
  std::vector<Settlement> not_sent;
  const Instant now = env_.now();
  Flight flight;
  flight.began = now.steady;
  const std::size_t claimed_bytes = bytes_of(claims);
  std::size_t sent_bytes = 0;
  batch.reserve(claims.size());
  flight.claims.reserve(claims.size());
  for (Claim& c : claims) {
    const std::size_t size = c.body.size();
    auto result = unpack(c.body);
    c.body = {};
    if (auto put_off = result ? ruled(*result, c.seq, now) : std::nullopt) {
      not_sent.push_back(std::move(*put_off));
      continue;
    }
    if (result) {
      sent_bytes += size;
      batch.push_back(std::move(*result));
      flight.claims.push_back(std::move(c));
      continue;
    }
    log(Level::error, "stored result cannot be read",
        {{"destination", config_.name}, {"error", result.error().what}});
    Settlement& s = not_sent.emplace_back();
    s.seq = c.seq;
    s.end = Settlement::End::dead;
    s.answer = result.error().what;
  }
  // What is not sent has cost nothing, or results held by an outage would use up the others' share.
  bucket_.refund(not_sent.size());
  bytes_.refund(claimed_bytes - sent_bytes, flight.began);
  flight.toll->paid = sent_bytes;
  if (!not_sent.empty()) journal_.settle(lane_, std::move(not_sent));
  if (batch.empty()) return;
  ++in_flight_;
  beat_probed_ = false;
  auto conversation = converse(batch, flight.toll);
  carrier_->carry(std::move(conversation),
                  [self = std::weak_ptr(self_),
                   flight = std::move(flight)](const std::vector<Verdict>& verdicts) {
                    if (auto alive = self.lock()) (*alive)->landed(flight, verdicts);
                  });
}

std::optional<Settlement> Delivery::ruled(CheckResult& result, Seq seq, Instant now) const {
  if (!outages_ || outages_->empty()) return std::nullopt;
  const OutageRuling ruling = rule_on(*outages_, result, now.wall);
  if (ruling.effect == OutageEffect::mark) mark_output(result.output, ruling.note);
  if (ruling.effect != OutageEffect::hold) return std::nullopt;
  Settlement s;
  s.seq = seq;
  s.end = Settlement::End::held;
  s.due = now.steady + std::min(kLongestHold, Duration(ruling.until - now.wall + 1s));
  s.answer = "held: planned outage " + ruling.id + " of " + ruling.source;
  s.tried = false;
  return s;
}

// Counted as it is sent: what it needs beyond its records (a login, a second try) is known then.
std::unique_ptr<Conversation> Delivery::converse(std::span<const CheckResult> batch,
                                                 const std::shared_ptr<Toll>& toll) {
  auto conversation = outbound_->open(batch);
  if (bytes_.unlimited()) return conversation;
  return metered(std::move(conversation),
                 [self = std::weak_ptr(self_), toll](std::size_t bytes, Steady now) {
                   const std::size_t before = std::max(toll->sent, toll->paid);
                   toll->sent += bytes;
                   const std::size_t more = std::max(toll->sent, before) - before;
                   if (auto alive = self.lock()) (*alive)->bytes_.charge(more, now);
                 });
}

void Delivery::landed(const Flight& flight, const std::vector<Verdict>& verdicts) {
  --in_flight_;
  landed_ += static_cast<std::int64_t>(flight.claims.size());
  Instant now = env_.now();
  bytes_.refund(flight.toll->paid - std::min(flight.toll->paid, flight.toll->sent), now.steady);
  Verdict unspoken;
  unspoken.answer = "the conversation ended without a verdict";
  std::vector<std::pair<const Claim*, const Verdict*>> items;
  items.reserve(flight.claims.size());
  for (const Claim& c : flight.claims) items.emplace_back(&c, &unspoken);
  for (const Verdict& v : verdicts)
    if (v.item < items.size()) items[v.item].second = &v;
  // What ended the conversation is the newest, whichever item it is told of.
  std::stable_partition(items.begin(), items.end(), [](const auto& item) {
    const Judgement j = item.second->judgement;
    return j != Judgement::auth && j != Judgement::config;
  });
  std::vector<Settlement> settlements;
  settlements.reserve(items.size());
  for (const auto& [claim, verdict] : items) {
    Breaker::State before = breaker_.state();
    breaker_.record(*verdict, flight.began, now.steady);
    note_state(before, *verdict, now.steady);
    settlements.push_back(settle(*claim, *verdict, retry_, now));
  }
  ramp_.spent(now.steady - flight.began, flight.claims.size());
  journal_.settle(lane_, std::move(settlements));
  if (breaker_.probing()) put_back_ready();
  take_leave();
  env_.kick();
}

void Delivery::note_state(Breaker::State before, const Verdict& cause, Steady now) {
  if (cause.judgement == Judgement::delivered) {
    last_error_.clear();
  } else {
    last_error_ = cause.answer;
  }
  if (breaker_.state() == before) return;
  if (before == Breaker::State::ok) troubled_ = now;
  if (breaker_.state() == Breaker::State::ok) troubled_.reset();
  if (breaker_.state() == Breaker::State::ok) ramp_.recovered(now);
  if (before == Breaker::State::ok) ramp_.trouble(now);
  log(breaker_.state() == Breaker::State::ok ? Level::info : Level::warn,
      "destination is " + std::string(to_string(breaker_.state())),
      {{"destination", config_.name}, {"was", to_string(before)}, {"answer", cause.answer}});
}

}  // namespace checkrelay
