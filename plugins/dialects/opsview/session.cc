#include "plugins/dialects/opsview/session.h"

#include <algorithm>
#include <utility>

namespace checkrelay::opsview {
namespace {

constexpr int kNotRunning = 2;

std::string key(const Subject& subject) { return subject.host + '\0' + subject.service; }

}  // namespace

bool Session::signed_in(Steady now) const {
  return !token_.empty() && now - last_use_ < kTokenLife;
}

void Session::accept(Secret token, Steady now) {
  token_ = std::move(token);
  last_use_ = now;
  signing_in_ = false;
  reload_hidden_ = false;
  lookup_hidden_ = false;
  asked_.reset();
}

void Session::fail(const Verdict& verdict) {
  signing_in_ = false;
  failure_ = verdict;
  ++failures_;
}

void Session::drop(const Secret& token) {
  if (token == token_) token_ = Secret();
}

bool Session::wants_reload_status(Steady now) const {
  const bool away = reloading_ || reload_.server_status == kNotRunning;
  return !reload_hidden_ && (away || !asked_ || now - *asked_ >= kReloadPoll);
}

// A 409, and the answer to a reload that begins, say that it runs and nothing else: what was known
// of its length stands.
void Session::note(const ReloadStatus& status, Steady now) {
  const bool changed = !reload_.last_updated.empty() && !status.last_updated.empty() &&
                       status.last_updated != reload_.last_updated;
  asked_ = now;
  const ReloadStatus before = std::exchange(reload_, status);
  if (!reload_.average_duration) reload_.average_duration = before.average_duration;
  if (reload_.last_updated.empty()) reload_.last_updated = before.last_updated;
  if (status.server_status == 1) return note_reloading(now);
  if (reloading_ || changed) reloaded(now);
  reloading_ = false;
}

// Whoever cannot see its end takes it for over when it has had its time.
void Session::note_reloading(Steady now) {
  if (reload_hidden_) return reloaded(now);
  asked_ = now;
  reloading_ = true;
  objects_.clear();
}

void Session::hide_reload(Steady now) {
  reload_hidden_ = true;
  if (std::exchange(reloading_, false)) reloaded(now);
}

void Session::reloaded(Steady now) {
  settled_ = now + std::max<Duration>(duration(), kSettling);
  objects_.clear();
}

Duration Session::duration() const {
  return std::min<Duration>(reload_.average_duration.value_or(kUsualReload), kLongestReload);
}

Duration Session::hold() const { return duration() / 2; }

bool Session::unsettled(Steady now) const { return reloading_ || (settled_ && now < *settled_); }

bool Session::outdated(Steady now) const { return reload_hidden_ && now - learned_ >= kTrust; }

bool Session::knows(const Subject& subject, Steady now) const {
  return !outdated(now) && objects_.contains(key(subject));
}

void Session::remember(const Subject& subject, Steady now) {
  if (objects_.size() >= kMostObjects || outdated(now)) objects_.clear();
  if (objects_.empty()) learned_ = now;
  objects_.insert(key(subject));
}

void Session::forget(const Subject& subject) { objects_.erase(key(subject)); }

}  // namespace checkrelay::opsview
