#include "agent/flow/heartbeat_post.h"

#include <utility>

namespace checkrelay {
namespace {

constexpr unsigned kStrikes = 2;  // a destination may have gone just when the heartbeat came

bool is_answer(Judgement j) {
  return j == Judgement::delivered || j == Judgement::rejected || j == Judgement::unknown_object;
}

// Refused credentials are no accident, and cost minutes.
unsigned strikes_of(Judgement j) {
  if (j == Judgement::auth || j == Judgement::config) return kStrikes;
  return j == Judgement::transient ? 1 : 0;
}

}  // namespace

void HeartbeatPost::offer(CheckResult heartbeat) {
  offered_ = true;
  if (waiting_) ++counts_.superseded;
  waiting_ = std::move(heartbeat);
  strikes_ = 0;
}

void HeartbeatPost::withdraw() {
  if (waiting_) ++counts_.superseded;
  waiting_.reset();
  offered_ = false;
  withdrawn_ = true;
}

bool HeartbeatPost::waiting() const { return waiting_ && !under_way_ && strikes_ < kStrikes; }

CheckResult HeartbeatPost::take() {
  under_way_ = std::exchange(waiting_, std::nullopt);
  withdrawn_ = false;
  return *under_way_;
}

void HeartbeatPost::put_back() {
  if (waiting_ || withdrawn_) {
    ++counts_.superseded;  // a newer one has come meanwhile, or it is not wanted any more
  } else {
    waiting_ = std::move(under_way_);
  }
  under_way_.reset();
}

void HeartbeatPost::answered(const Verdict& v, Wall now, bool& changed) {
  const bool taken = v.judgement == Judgement::delivered;
  ++(taken ? counts_.sent : counts_.refused);
  if (taken) counts_.last_sent = now;
  changed = taken != counts_.taken.value_or(true);
  counts_.taken = taken;
  counts_.last_answer = taken ? "" : v.answer;
  suspect_ = false;
  under_way_.reset();
}

bool HeartbeatPost::landed(const Verdict& v, bool well, Wall now, bool& changed) {
  changed = false;
  if (is_answer(v.judgement)) {
    answered(v, now, changed);
    return true;
  }
  counts_.last_answer = v.answer;
  const bool newer = waiting_.has_value();
  put_back();
  const unsigned strikes = well ? strikes_of(v.judgement) : 0;
  const bool known = suspect_ && strikes > 0;
  if (!newer) strikes_ = known ? kStrikes : strikes_ + strikes;
  suspect_ = suspect_ || strikes >= kStrikes || strikes_ >= kStrikes;
  return !known;
}

}  // namespace checkrelay
