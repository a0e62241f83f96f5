#include "tests/support/fake_journal.h"

#include <algorithm>
#include <set>

namespace checkrelay {
namespace {

bool wanted(BrowseQuery::What what, const std::string& state) {
  switch (what) {
    case BrowseQuery::What::pending:
      return state == "pending" || state == "in_flight";
    case BrowseQuery::What::dead:
      return state == "dead";
    case BrowseQuery::What::delivered:
      return state == "delivered" || state == "superseded" || state == "expired";
    case BrowseQuery::What::any:
      break;
  }
  return true;
}

template <typename T>
bool holds(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

std::string FakeJournal::fate(const std::string& id, LaneId lane) const {
  for (const Item& item : items_) {
    auto slot = item.slots.find(lane);
    if (item.record.id == id && slot != item.slots.end()) return slot->second.what;
  }
  return "";
}

Result<std::vector<LaneId>> FakeJournal::lanes(
    const std::vector<std::pair<std::string, LaneOptions>>& destinations) {
  if (fail_lanes) return tl::unexpected(*std::exchange(fail_lanes, std::nullopt));
  declared_ = destinations;
  for (LaneStats& l : stats_.lanes) l.active = false;
  std::vector<LaneId> ids;
  for (const auto& [name, options] : destinations) {
    LaneId id = 0;
    while (id < stats_.lanes.size() && stats_.lanes[id].name != name) ++id;
    if (id == stats_.lanes.size()) {
      stats_.lanes.emplace_back().name = name;
      options_.emplace_back();
    }
    stats_.lanes[id].active = true;
    options_[id] = options;
    ids.push_back(id);
  }
  return ids;
}

void FakeJournal::stage(std::vector<Record> records, std::vector<Note> notes,
                        std::function<void(Result<std::vector<Stored>>)> done) {
  work_.push_back([this, records = std::move(records), notes = std::move(notes),
                   done = std::move(done)]() mutable {
    if (fail_stage) return done(tl::unexpected(*fail_stage));
    for (Note& n : notes) note(std::move(n));
    std::vector<Stored> stored;
    for (Record& r : records) stored.push_back(store(std::move(r)));
    count();
    done(std::move(stored));
  });
}

void FakeJournal::note(Note note) {
  if (note.body.empty()) {
    noted.erase(note.number);
  } else {
    noted[note.number] = std::move(note.body);
  }
}

void FakeJournal::notes(const std::function<void(std::uint32_t, std::string_view)>& each) {
  for (const auto& [number, body] : noted) each(number, body);
}

Stored FakeJournal::store(Record record) {
  for (const Item& item : items_)
    if (record.id_given && item.record.id == record.id &&
        now_.wall - item.record.received < kSameIdWindow)
      return {item.seq, true};
  for (Item& item : items_)
    for (auto& [lane, slot] : item.slots)
      if (options_[lane].backlog == Backlog::latest && slot.what == "pending" &&
          ((record.lanes >> lane) & 1U) != 0 && item.record.subject == record.subject)
        slot.what = "superseded";
  Item& item = items_.emplace_back();
  item.seq = items_.size();
  item.record = std::move(record);
  for (LaneId lane = 0; lane < options_.size(); ++lane)
    if (((item.record.lanes >> lane) & 1U) != 0)
      item.slots[lane].story.push_back({now_.wall, lane, "stored", ""});
  return {item.seq, false};
}

void FakeJournal::claim(LaneId lane, std::size_t records, std::size_t bytes,
                        std::function<void(std::vector<Claim>)> done) {
  work_.push_back([this, lane, records, bytes, done = std::move(done)] {
    auto claims = take(lane, records, bytes);
    count();
    done(std::move(claims));
  });
}

std::vector<Claim> FakeJournal::take(LaneId lane, std::size_t records, std::size_t bytes) {
  std::vector<Claim> claims;
  std::size_t sum = 0;
  if (stats_.lanes[lane].paused) return claims;
  std::set<std::string> blocked;
  for (const Item& item : items_)
    if (auto s = item.slots.find(lane); s != item.slots.end() && s->second.what == "in_flight")
      blocked.insert(item.record.subject);
  for (Item& item : items_) {
    auto found = item.slots.find(lane);
    if (found == item.slots.end() || found->second.what != "pending") continue;
    Slot& slot = found->second;
    if (claims.size() >= records || sum >= bytes || blocked.count(item.record.subject) != 0)
      continue;
    blocked.insert(item.record.subject);
    if (slot.due && *slot.due > now_.steady) continue;
    slot.what = "in_flight";
    slot.claim.seq = item.seq;
    slot.claim.body = item.record.body;
    slot.claim.received = item.record.received;
    sum += slot.claim.body.size();
    claims.push_back(slot.claim);
  }
  return claims;
}

void FakeJournal::settle(LaneId lane, std::vector<Settlement> more) {
  work_.push_back([this, lane, more = std::move(more)] {
    for (const Settlement& s : more) end(lane, s);
    count();
  });
}

void FakeJournal::end(LaneId lane, const Settlement& s) {
  settlements.push_back(s);
  if (s.seq == 0 || s.seq > items_.size()) return;
  auto found = items_[s.seq - 1].slots.find(lane);
  if (found == items_[s.seq - 1].slots.end() || found->second.what != "in_flight") return;
  Slot& slot = found->second;
  slot.answer = s.answer;
  slot.due = std::nullopt;
  slot.held = s.end == Settlement::End::held;
  switch (s.end) {
    case Settlement::End::delivered:
      slot.what = "delivered";
      return;
    case Settlement::End::dead:
      slot.what = "dead";
      return;
    case Settlement::End::expired:
      slot.what = "expired";
      return;
    case Settlement::End::later:
    case Settlement::End::held:
      slot.due = s.due;
      [[fallthrough]];
    case Settlement::End::put_back:
      slot.what = "pending";
      ++slot.claim.tries;
      ++stats_.lanes[lane].retries;
  }
  if (s.unknown_object && !slot.claim.first_unknown) slot.claim.first_unknown = now_.wall;
}

void FakeJournal::free_held(LaneId lane) {
  work_.emplace_back([this, lane] {
    for (Item& item : items_)
      if (auto s = item.slots.find(lane); s != item.slots.end() && s->second.held)
        s->second.due = std::nullopt;
    count();
  });
}

BrowsePage FakeJournal::page(const BrowseQuery& q) const {
  BrowsePage out;
  for (const Item& item : items_)
    for (const auto& [lane, slot] : item.slots) {
      if (item.seq <= q.after || (q.lane && *q.lane != lane) || (q.seq && *q.seq != item.seq) ||
          (!q.id.empty() && q.id != item.record.id) || !wanted(q.what, slot.what) ||
          (q.match && !q.match(item.record.body)))
        continue;
      if (out.rows.size() == q.limit) {
        out.more = true;
        return out;
      }
      Browsed& row = out.rows.emplace_back();
      row = {item.seq,         item.record.id, item.record.received, lane, slot.what,
             slot.claim.tries, slot.answer,    item.record.body,     {}};
      if (q.seq || !q.id.empty()) row.story = slot.story;
    }
  return out;
}

void FakeJournal::browse(BrowseQuery query, std::function<void(BrowsePage)> done) {
  work_.push_back([this, query = std::move(query), done = std::move(done)] { done(page(query)); });
}

std::size_t FakeJournal::change(std::optional<LaneId> lane, const std::vector<Seq>& seqs,
                                const std::vector<std::string>& from, const std::string& to,
                                std::size_t at_most) {
  std::size_t changed = 0;
  for (Item& item : items_)
    for (auto& [at, slot] : item.slots) {
      if (changed == at_most || (lane && *lane != at) ||
          (!seqs.empty() && !holds(seqs, item.seq)) || !holds(from, slot.what))
        continue;
      slot.what = to;
      ++changed;
    }
  count();
  return changed;
}

void FakeJournal::retry(std::optional<LaneId> lane, std::vector<Seq> seqs,
                        std::function<void(std::size_t)> done) {
  work_.push_back([this, lane, seqs = std::move(seqs), done = std::move(done)] {
    done(change(lane, seqs, {"dead"}, "pending", retries_at_most));
  });
}

void FakeJournal::drop(std::optional<LaneId> lane, std::vector<Seq> seqs, std::string,
                       std::function<void(std::size_t)> done) {
  work_.push_back([this, lane, seqs = std::move(seqs), done = std::move(done)] {
    done(change(lane, seqs, {"pending", "dead"}, "expired"));
  });
}

void FakeJournal::pause(LaneId lane, bool paused, std::function<void(Result<bool>)> done) {
  work_.push_back([this, lane, paused, done = std::move(done)] {
    if (fail_pause) return done(tl::unexpected(*fail_pause));
    auto& since = stats_.lanes[lane].paused;
    const bool news = since.has_value() != paused;
    if (news && paused) since = now_.wall;
    if (!paused) since.reset();
    count();
    done(news);
  });
}

void FakeJournal::poll(Instant now) {
  now_ = now;
  if (frozen) return;
  auto work = std::exchange(work_, {});
  for (auto& f : work) f();
  count();
}

void FakeJournal::count() {
  for (LaneId lane = 0; lane < stats_.lanes.size(); ++lane) {
    LaneStats& l = stats_.lanes[lane];
    l.pending = l.held = l.in_flight = l.delivered = l.superseded = l.expired = l.dead = 0;
    l.oldest = std::nullopt;
    l.next_due = std::nullopt;
    l.claimable = false;
    std::set<std::string> blocked;
    for (const Item& item : items_) {
      auto found = item.slots.find(lane);
      if (found == item.slots.end()) continue;
      const Slot& slot = found->second;
      l.in_flight += slot.what == "in_flight" ? 1U : 0U;
      l.delivered += slot.what == "delivered" ? 1U : 0U;
      l.superseded += slot.what == "superseded" ? 1U : 0U;
      l.expired += slot.what == "expired" ? 1U : 0U;
      l.dead += slot.what == "dead" ? 1U : 0U;
      if (slot.what == "in_flight") blocked.insert(item.record.subject);
      if (slot.what != "pending") continue;
      ++l.pending;
      l.held += slot.held ? 1U : 0U;
      if (!l.oldest) l.oldest = item.record.received;
      if (!blocked.insert(item.record.subject).second) continue;
      if (!slot.due || *slot.due <= now_.steady) {
        l.claimable = true;
      } else if (!l.next_due || *slot.due < *l.next_due) {
        l.next_due = slot.due;
      }
    }
    if (!l.paused) continue;
    l.claimable = false;
    l.next_due = std::nullopt;
  }
  stats_.bytes = faked.bytes;
  stats_.full = faked.full;
  stats_.staged = faked.staged;
  stats_.commits = faked.commits;
  stats_.trouble = faked.trouble;
}

}  // namespace checkrelay
