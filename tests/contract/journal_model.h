// What a journal should know of one destination, the slow and plain way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/port/journal.h"

namespace checkrelay::model {

enum class State { pending, flying, delivered, superseded, expired, dead };

struct Owed {
  std::string subject{};
  std::string body{};
  Wall time{};
  State state = State::pending;
  unsigned retries = 0;
  std::uint8_t check_state = 0;
  bool change = true;  // Backlog::changes: it is kept when a newer one comes
  Seq repeats = 0;     // where it is no change: which one says the same
};

struct ModelLane {
  bool latest = false, changes = false, fresh = false;
  unsigned turn = 0;
  Duration max_age{};
  std::map<Seq, Owed> records{};
  struct Wait {
    Seq seq = 0;
    Steady due{};
  };
  std::map<std::string, Wait> waits{};  // by subject
  std::map<std::string, Seq> last{};    // by subject, where the next one is compared with it

  std::uint64_t count(State state) const {
    return static_cast<std::uint64_t>(std::count_if(
        records.begin(), records.end(), [&](const auto& r) { return r.second.state == state; }));
  }
  bool waits_now(const std::string& subject, Steady now) {
    auto it = waits.find(subject);
    if (it == waits.end()) return false;
    if (it->second.due > now) return true;
    waits.erase(it);
    return false;
  }
  Seq newest_pending(const std::string& subject) const {
    Seq newest = 0;
    for (const auto& [seq, r] : records)
      if (r.subject == subject && r.state == State::pending) newest = seq;
    return newest;
  }
  bool flies(const std::string& subject) const {
    return std::any_of(records.begin(), records.end(), [&](const auto& r) {
      return r.second.subject == subject && r.second.state == State::flying;
    });
  }
  void add(Seq seq, Owed owed) {
    if (const Seq old = newest_pending(owed.subject); latest && old != 0)
      records[old].state = State::superseded;
    records[seq] = std::move(owed);
    if (changes) follow(seq);
  }
  void follow(Seq seq) {
    Owed& r = records[seq];
    const Seq before = std::exchange(last[r.subject], seq);
    r.change = before == 0 || records[before].check_state != r.check_state;
    if (!r.change) r.repeats = records[before].change ? before : records[before].repeats;
    if (before != 0 && records[before].state == State::pending && !records[before].change)
      records[before].state = State::superseded;
  }
  // It was not told: what says the same is news.
  void failed(Seq seq) {
    auto it = last.find(records[seq].subject);
    if (it == last.end()) return;
    Owed& newest = records[it->second];
    if (newest.repeats == seq) newest.change = true;
    if (it->second == seq) last.erase(it);
  }
  // The next one to be claimed, or 0.
  Seq next(Instant now) {
    std::set<std::string> seen;
    Seq newest = 0;
    for (auto& [seq, r] : records) {
      if (r.state != State::pending || !seen.insert(r.subject).second) continue;
      if (flies(r.subject) || waits_now(r.subject, now.steady)) continue;
      newest = seq;
      if (!fresh || turn % 4 == 3) break;
    }
    return newest;
  }
  std::vector<Seq> claim(std::size_t n, Instant now) {
    std::vector<Seq> taken;
    while (taken.size() < n) {
      const Seq seq = next(now);
      if (seq == 0) break;
      ++turn;
      Owed& r = records[seq];
      const bool old = max_age.count() > 0 && r.time + max_age < now.wall;
      r.state = old ? State::expired : State::flying;
      if (!old) taken.push_back(seq);
      if (old) failed(seq);
    }
    return taken;
  }
  void give_back(Seq seq) {
    Owed& r = records[seq];
    ++r.retries;
    const bool newer = newest_pending(r.subject) > seq;
    const auto it = last.find(r.subject);
    const bool outdated = !r.change && it != last.end() && it->second > seq;
    r.state = outdated || (latest && newer) ? State::superseded : State::pending;
  }
  void crash() {
    waits.clear();
    for (auto& [seq, r] : records) {
      if (r.state != State::flying) continue;
      r.state = latest && newest_pending(r.subject) > seq ? State::superseded : State::pending;
    }
    last.clear();
    for (auto& [seq, r] : records)
      if (changes && r.state == State::pending) follow(seq);
  }
};

}  // namespace checkrelay::model
