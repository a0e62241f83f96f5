// What happens to a record after it was claimed, or aside from claiming: settlements, the operator,
// start-up.
#include <algorithm>
#include <limits>

#include "spool/lane.h"

namespace checkrelay {
namespace {
constexpr Seq kAlways = std::numeric_limits<Seq>::max() >> 1;
}  // namespace

Lane::Lane(const LaneSaved& s, LaneLimits limits)
    : limits_(limits),
      cursor_(s.cursor),
      loaded_(s.cursor),
      folded_(s.folded),
      latest_upto_(s.latest_upto),
      pending_(s.pending),
      delivered_(s.delivered),
      superseded_(s.superseded),
      expired_(s.expired),
      dead_(s.dead),
      retries_(s.retries) {
  done_ = DoneSet(s.done);
  for (const Run& run : s.passed) done_.set(run.first, run.last);
  done_.forget_upto(cursor_);
  thinned_ = latest_upto_ > cursor_;
  rebuilding_ = thinned_ && pending_ > 0;
  reindex_from_ = cursor_;
}

void Lane::configure(const LaneOptions& options) {
  max_age_ = options.max_age;
  set_drain(options.drain == Drain::fresh_first);
  const bool latest = options.backlog == Backlog::latest;
  const bool changes = options.backlog == Backlog::changes;
  const bool was_latest = latest_upto_ == kAlways;
  if (latest == was_latest && changes == changes_) return;
  if (latest != was_latest) latest_upto_ = latest ? kAlways : folded_;
  changed_ = changed_ || latest != was_latest;
  changes_ = changes;
  last_ = LastStates();
  news_ = SubjectIndex();
  if (options.backlog != Backlog::all && pending_ > 0) rebuild();
}

void Lane::restore_aside(const RecordHeader& h, unsigned tries, Wall first_unknown) {
  Aside& e = aside_[h.seq];
  static_cast<Entry&>(e) = entry_of(h);
  e.tries = static_cast<std::uint16_t>(std::min(tries, 65535U));
  e.first_unknown = first_unknown;
  if (h.seq <= cursor_ && indexed(h.seq)) {
    LaneOutput ignored;
    displace(h, false, ignored);
  }
  line_up(h.seq, h.subject);
}

// A record that does not come by way of the window takes its place among those of its subject.
void Lane::line_up(Seq seq, std::uint64_t subject) {
  auto [it, fresh] = busy_.try_emplace(subject);
  Busy& busy = it->second;
  Seq waits = seq;
  if (!fresh && busy.head == seq) return;
  if (fresh || (busy.phase == Phase::ready && seq < busy.head)) {
    waits = fresh ? 0 : busy.head;
    busy.head = seq;
    if (fresh_first_) heads_.erase(waits);
    make_claimable(seq);
  }
  if (waits == 0) return;
  auto at = std::lower_bound(busy.waiting.begin(), busy.waiting.end(), waits);
  if (at == busy.waiting.end() || *at != waits) busy.waiting.insert(at, waits);
}

void Lane::settle(const Settlement& s, Instant now, LaneOutput& out) {
  Entry* e = entry(s.seq);
  if (e == nullptr || e->status != Status::flying) return;
  --in_flight_;
  switch (s.end) {
    case Settlement::End::delivered:
      ++delivered_;
      end(*e, Fate::delivered, s.answer, out);
      break;
    case Settlement::End::dead:
      ++dead_;
      end(*e, Fate::dead, s.answer, out);
      break;
    case Settlement::End::expired:
      ++expired_;
      end(*e, Fate::expired, s.answer, out);
      break;
    default:
      give_back(*e, s, now, out);
  }
  advance();
}

void Lane::give_back(Entry& e, const Settlement& s, Instant now, LaneOutput& out) {
  if (s.tried && e.tries < 65535) ++e.tries;
  const bool later = s.end == Settlement::End::later || s.end == Settlement::End::held;
  const bool held = s.end == Settlement::End::held;
  if (held && aside_.count(e.seq) == 0) out.events.push_back({e.seq, Fate::later, s.answer});
  if (!held && (s.tried || !s.answer.empty())) {
    ++retries_;
    out.events.push_back({e.seq, later ? Fate::later : Fate::put_back, s.answer});
  }
  if (changes_) {
    const auto last = last_.get(e.subject);
    if (e.outdated && last && last->seq > e.seq) {
      ++superseded_;
      return end(e, Fate::superseded, {}, out);
    }
    mark_sent(e, false);
  }
  if (indexed(e.seq)) {
    if (index_.get(e.subject) > e.seq) {
      ++superseded_;
      return end(e, Fate::superseded, {}, out);
    }
    index_.exchange(e.subject, e.seq);
  }
  ++pending_;
  e.status = Status::open;
  Busy& busy = busy_[e.subject];
  if (later) return put_off(e, s, now, out);
  make_ready(busy);
}

void Lane::put_off(Entry& e, const Settlement& s, Instant now, LaneOutput& out) {
  Busy& busy = busy_[e.subject];
  busy.phase = Phase::put_off;
  busy.held = s.end == Settlement::End::held;
  if (busy.held) ++held_;
  busy.due = s.due;
  due_.push({s.due, e.subject});
  changed_ = true;
  auto [it, fresh] = aside_.try_emplace(e.seq);
  Aside& aside = it->second;
  if (fresh) {
    static_cast<Entry&>(aside) = e;
    pass(e);
  }
  if (s.unknown_object && aside.first_unknown == Wall{}) aside.first_unknown = now.wall;
  out.aside.push_back(
      {AsideChange::What::park, aside.seq, aside.tries, aside.first_unknown, s.answer});
  if (busy.held) leave_newest(busy, aside.subject, out);
}

void Lane::free_held() {
  if (held_ == 0) return;
  for (auto& [subject, busy] : busy_) {
    if (busy.phase != Phase::put_off || !busy.held || busy.due == Steady{}) continue;
    busy.due = Steady{};
    due_.push({busy.due, subject});
  }
}

bool Lane::waits_behind_put_off(const Entry& e) const {
  auto it = busy_.find(e.subject);
  return e.status == Status::open && it != busy_.end() && it->second.phase == Phase::put_off;
}

bool Lane::make_room(LaneOutput& out) {
  constexpr std::size_t kStep = 256;  // copies a turn
  if (rebuilding_ || window_.size() < limits_.window || scan_ < window_.size()) return false;
  if (newest_head() != 0) return false;
  std::size_t moved = 0;
  for (Entry& e : window_) {
    if (moved == kStep || aside_.size() >= limits_.aside) break;
    if (!waits_behind_put_off(e) || superseded(e.seq, e.subject)) continue;
    static_cast<Entry&>(aside_[e.seq]) = e;
    out.aside.push_back({AsideChange::What::park, e.seq, e.tries, {}, {}});
    pass(e);
    changed_ = true;
    ++moved;
  }
  advance();
  return moved > 0;
}

bool Lane::drop(const RecordHeader& h, LaneOutput& out) {
  if (rebuilding_ || place(h) != Place::pending) return false;
  --pending_;
  ++expired_;
  changed_ = true;
  index_.erase(h.subject, h.seq);
  if (Entry* e = entry(h.seq); e != nullptr) {
    end(*e, Fate::dropped, {}, out);
  } else {
    done_.set(h.seq);
    if (changes_) concluded(h.seq, h.subject, Fate::dropped);
    out.events.push_back({h.seq, Fate::dropped, {}});
  }
  advance();
  return true;
}

void Lane::drop_dead(Seq seq, LaneOutput& out) {
  --dead_;
  ++expired_;
  changed_ = true;
  out.aside.push_back({AsideChange::What::forget, seq, 0, {}, {}});
  out.events.push_back({seq, Fate::dropped, {}});
}

void Lane::revive(const RecordHeader& h, LaneOutput& out) {
  --dead_;
  changed_ = true;
  out.events.push_back({h.seq, Fate::retried, {}});
  if (indexed(h.seq) && index_.get(h.subject) > h.seq) {
    ++superseded_;
    out.aside.push_back({AsideChange::What::forget, h.seq, 0, {}, {}});
    out.events.push_back({h.seq, Fate::superseded, {}});
    return;
  }
  ++pending_;
  displace(h, true, out);
  static_cast<Entry&>(aside_[h.seq]) = entry_of(h);
  out.aside.push_back({AsideChange::What::park, h.seq, 0, {}, {}});
  line_up(h.seq, h.subject);
}

std::uint64_t Lane::write_off() {
  const bool empty =
      window_.empty() && loaded_ == folded_ && aside_.empty() && tail_.empty() && !rebuilding_;
  if (!empty || pending_ == 0) return 0;
  const std::uint64_t lost = pending_;
  expired_ += lost;
  pending_ = 0;
  changed_ = true;
  index_ = SubjectIndex();
  last_ = LastStates();
  news_ = SubjectIndex();
  return lost;
}

std::uint64_t Lane::write_off_dead(std::uint64_t there) {
  const std::uint64_t lost = dead_ - std::min(there, dead_);
  dead_ -= lost;
  expired_ += lost;
  changed_ = changed_ || lost > 0;
  return lost;
}

void Lane::store_anew() {
  changed_ = true;
  done_.mark_all_changed();
}

Lane::Place Lane::place(const RecordHeader& h) const {
  auto it = aside_.find(h.seq);
  auto t = tail_.find(h.seq);
  const Entry* e = it != aside_.end() ? &it->second
                   : t != tail_.end() ? &t->second
                                      : window_entry(h.seq);
  if (e == nullptr && (h.seq <= loaded_ || done_.has(h.seq))) return Place::finished;
  if (e != nullptr && e->status == Status::flying) return Place::in_flight;
  if (e != nullptr && e->status >= Status::passed) return Place::finished;
  return superseded(h.seq, h.subject) ? Place::superseded : Place::pending;
}

LaneSaved Lane::save() const {
  LaneSaved s;
  s.cursor = cursor_;
  s.folded = folded_;
  s.latest_upto = latest_upto_;
  s.pending = pending_ + in_flight_;
  s.delivered = delivered_;
  s.superseded = superseded_;
  s.expired = expired_;
  s.dead = dead_;
  s.retries = retries_;
  bool open_run = false;
  for (const Entry& e : window_) {
    if (e.seq > passed_upto_) break;
    const bool passed = e.status == Status::passed;
    if (passed && open_run) s.passed.back().last = e.seq;
    if (passed && !open_run) s.passed.push_back({e.seq, e.seq});
    open_run = passed;
  }
  s.done = done_.changes();
  return s;
}

void Lane::fill(LaneStats& stats) const {
  stats.pending = pending_;
  stats.in_flight = in_flight_;
  stats.delivered = delivered_;
  stats.superseded = superseded_;
  stats.expired = expired_;
  stats.dead = dead_;
  stats.retries = retries_;
  stats.held = held_;
  stats.oldest.reset();
  if (!window_.empty()) stats.oldest = window_.front().received;
  if (!aside_.empty() && (!stats.oldest || aside_.begin()->second.received < *stats.oldest))
    stats.oldest = aside_.begin()->second.received;
  if (pending_ == 0) stats.oldest.reset();
  stats.claimable =
      !rebuilding_ && pending_ > 0 &&
      (ready_in_reach() || newest_head() != 0 || scan_ < window_.size() || wants_more());
  stats.next_due.reset();
  if (!due_.empty() && !rebuilding_) stats.next_due = due_.top().at;
}

}  // namespace checkrelay
