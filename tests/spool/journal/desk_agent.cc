#include "tests/spool/journal/desk_agent.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <utility>

namespace checkrelay {
namespace {

using End = Settlement::End;

constexpr auto kEpoch = 1'700'000'000'000'000;

constexpr LaneId kChanges = 2;

int subject_of(int n) { return n % 50; }
int run_of(int n) { return n / 130; }  // within which a subject's state stays the same

std::string body_of(int n) {
  return fmt::format("{}:{}", n, std::string(static_cast<std::size_t>(n % 7) * 300, 'x'));
}

Record make(int n) {
  Record r;
  r.id = fmt::format("id{}", n);
  r.id_given = n % 3 == 0;
  r.subject = fmt::format("s{}", subject_of(n));
  r.time = r.received = Wall(Duration(kEpoch + n));
  r.lanes = 7;
  r.state = static_cast<std::uint8_t>(run_of(n) % 2);
  r.body = body_of(n);
  return r;
}

Settlement settlement(Seq seq, End end) {
  Settlement s;
  s.seq = seq;
  s.end = end;
  s.answer = "because";
  return s;
}

bool hand_in(DeskAgent& agent, Known& known, std::vector<Record>& records) {
  std::vector<Note> notes;
  for (const Record& r : records) {
    const int n = std::stoi(r.body);
    notes.push_back({static_cast<std::uint32_t>(subject_of(n)), std::to_string(n)});
  }
  auto stored = agent.desk->stage(records, std::move(notes));
  const auto committed = agent.desk->commit();
  const bool ok = stored && committed;
  if (!ok) {
    const Error& error = stored ? committed.error() : stored.error();
    EXPECT_TRUE(error.code == Errc::unavailable || error.code == Errc::full) << error.what;
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& r = records[i];
    if (r.id_given) known.once.insert(r.body);
    if (!ok) {
      known.unheard.insert(r.body);
      continue;
    }
    const auto [it, fresh] = known.acknowledged.emplace(stored->at(i).seq, r.body);
    EXPECT_TRUE(fresh || it->second == r.body) << "a seq for two records";
    if (r.id_given) known.unheard.erase(r.body);
  }
  return ok;
}

void tell_changes(DeskAgent& agent, Known& known) {
  const bool paused = agent.desk->stats().lanes.at(kChanges).paused.has_value();
  std::vector<Settlement> settlements;
  for (Claim& c : agent.desk->claim(kChanges, 2, 1 << 20)) {
    EXPECT_FALSE(paused) << c.seq;
    settlements.push_back(settlement(c.seq, End::delivered));
    known.told.emplace(c.seq, std::move(c.body));
  }
  agent.desk->settle(kChanges, settlements);
}

void settle_some(DeskAgent& agent, Known& known) {
  std::vector<Settlement> settlements;
  for (const Claim& c : agent.desk->claim(0, 3, 1 << 20)) {
    constexpr End kEnds[] = {End::later, End::delivered, End::delivered, End::dead, End::put_back};
    settlements.push_back(settlement(c.seq, kEnds[c.seq % 5]));
    if (settlements.back().end == End::delivered) known.settled.insert(c.seq);
  }
  agent.desk->settle(0, settlements);
  tell_changes(agent, known);
  (void)agent.desk->commit();
}

// Whether it holds over a loss of power is known where the commit says so.
void pause_some(DeskAgent& agent, Known& known, bool paused) {
  const bool news = agent.desk->pause(kChanges, paused);
  const auto stored = agent.desk->commit();
  if (news && stored) known.paused.clear();
  if (news) known.paused.insert(paused);
}

}  // namespace

DeskAgent::DeskAgent(const std::string& directory, int checkpoint_pages) {
  SqliteStoreOptions options;
  options.directory = directory;
  options.vfs = "power-loss";
  options.checkpoint_pages = checkpoint_pages;
  auto made = SqliteStore::open(options, &reports);
  if (!made) {
    error = made.error();
    return;
  }
  store = std::move(*made);
  DeskOptions desk_options;
  desk_options.history_bytes = 20000;
  desk_options.notes = {200, 300};
  desk = std::make_unique<Desk>(*store, desk_options);
  desk->clock({Steady(std::chrono::hours(1)), Wall(Duration(kEpoch))});
  if (auto ok = desk->restore(); !ok) {
    error = ok.error();
    desk.reset();
    return;
  }
  EXPECT_TRUE(desk->lanes({{"all", {}},
                           {"latest", {Backlog::latest, {}}},
                           {"changes", {Backlog::changes, {}, Drain::fresh_first}}}));
}

void retry_all(Desk& desk) {
  Desk::RetryJob job;
  job.lane = 0;
  while (!desk.retry_some(job)) {
  }
}

int work_step(DeskAgent& agent, Known& known, int n) {
  std::vector<Record> records;
  const int next = n + 1 + n % 5;
  for (int i = n; i < next; ++i) records.push_back(make(i));
  if (!hand_in(agent, known, records) && !hand_in(agent, known, records)) return next;
  settle_some(agent, known);
  if (n % 13 == 0) pause_some(agent, known, n % 2 == 0);
  if (n % 7 == 0) retry_all(*agent.desk);
  if (n % 11 == 0) {
    const Seq seq = known.acknowledged.rbegin()->first;
    if (agent.desk->drop(0, {seq}) > 0) known.dropped.insert(seq);
  }
  (void)agent.desk->commit();
  (void)agent.desk->upkeep(n % 4 == 0);
  return next;
}

namespace {

std::map<Seq, std::string> drain(DeskAgent& agent, LaneId lane) {
  std::map<Seq, std::string> found;
  std::map<int, Seq> last;  // by subject
  for (int i = 0; i < 10000 && agent.desk->stats().lanes.at(lane).pending > 0; ++i) {
    std::vector<Settlement> settlements;
    for (Claim& c : agent.desk->claim(lane, 1000, 64 << 20)) {
      settlements.push_back(settlement(c.seq, End::delivered));
      const int subject = subject_of(std::stoi(c.body));
      EXPECT_LT(std::exchange(last[subject], c.seq), c.seq) << "out of order";
      EXPECT_TRUE(found.emplace(c.seq, std::move(c.body)).second) << c.seq << " came twice";
    }
    agent.desk->settle(lane, settlements);
    EXPECT_TRUE(agent.desk->commit());
    (void)agent.desk->upkeep(true);
  }
  return found;
}

void check_bodies(const std::map<Seq, std::string>& found, const Known& known) {
  std::set<std::string> seen;
  for (const auto& [seq, body] : found) {
    const auto it = known.acknowledged.find(seq);
    if (it != known.acknowledged.end()) {
      ASSERT_EQ(body, it->second) << "record " << seq << " is torn";
    } else {
      ASSERT_EQ(known.unheard.count(body) + known.once.count(body) > 0, true)
          << "record " << seq << " was never handed in";
    }
    ASSERT_TRUE(seen.insert(body).second || known.once.count(body) == 0)
        << "record " << seq << " is stored twice";
  }
}

std::map<int, Seq> newest_of(const std::map<Seq, std::string>& records) {
  std::map<int, Seq> newest;
  for (const auto& [seq, body] : records) newest[subject_of(std::stoi(body))] = seq;
  return newest;
}

void check_news(const std::map<Seq, std::string>& found, const Known& known) {
  auto heard = newest_of(found);
  for (const auto& [subject, seq] : newest_of(known.acknowledged))
    ASSERT_GE(heard[subject], seq) << "the news of " << subject << " is lost";
}

// Each record was staged with a note of its number under its subject: what the note says is the
// newest record, and not one that is not there.
void check_notes(const std::map<std::uint32_t, std::string>& notes, const Known& known,
                 const std::map<Seq, std::string>& records, bool exactly) {
  for (const auto& [subject, seq] : newest_of(known.acknowledged)) {
    const auto note = notes.find(static_cast<std::uint32_t>(subject));
    ASSERT_NE(note, notes.end()) << "of subject " << subject;
    ASSERT_GE(std::stoi(note->second), std::stoi(known.acknowledged.at(seq)));
  }
  if (!exactly) return;
  const auto newest = newest_of(records);
  ASSERT_EQ(notes.size(), newest.size());
  for (const auto& [subject, seq] : newest)
    ASSERT_EQ(std::stoi(notes.at(static_cast<std::uint32_t>(subject))), std::stoi(records.at(seq)));
}

// Something of each run of a state that a subject had, and the newest.
void check_changes(DeskAgent& agent, const Known& known) {
  const bool paused = agent.desk->stats().lanes.at(kChanges).paused.has_value();
  ASSERT_EQ(known.paused.count(paused), 1U) << "paused: " << paused;
  (void)agent.desk->pause(kChanges, false);
  auto found = drain(agent, kChanges);
  check_bodies(found, known);
  found.insert(known.told.begin(), known.told.end());
  check_news(found, known);
  std::set<std::pair<int, int>> heard;
  for (const auto& [seq, body] : found)
    heard.emplace(subject_of(std::stoi(body)), run_of(std::stoi(body)));
  for (const auto& [seq, body] : known.acknowledged)
    ASSERT_EQ(heard.count({subject_of(std::stoi(body)), run_of(std::stoi(body))}), 1U)
        << "the change that " << seq << " belongs to is lost";
}

}  // namespace

void check_everything(DeskAgent& agent, const Known& known) {
  retry_all(*agent.desk);
  const auto found = drain(agent, 0);
  check_bodies(found, known);
  for (const auto& [seq, body] : known.acknowledged)
    ASSERT_TRUE(found.count(seq) + known.settled.count(seq) + known.dropped.count(seq) > 0)
        << "record " << seq << " is lost";
  std::map<std::uint32_t, std::string> notes;
  agent.desk->notes([&](std::uint32_t n, std::string_view body) { notes.emplace(n, body); });
  const auto news = drain(agent, 1);
  check_notes(notes, known, news, agent.reports.empty());
  check_bodies(news, known);
  check_news(news, known);
  check_changes(agent, known);
  for (LaneId lane : {0U, 1U, kChanges}) {
    const LaneStats s = agent.desk->stats().lanes.at(lane);
    ASSERT_EQ(s.pending + s.in_flight + s.dead, 0U);
    ASSERT_LE(s.expired, lane == 0 ? known.dropped.size() : 0U);
    const auto told = s.delivered + s.superseded + s.expired;
    ASSERT_GE(told, known.acknowledged.size());
    ASSERT_LE(told, known.acknowledged.size() + 2 * known.unheard.size());
  }
  // What a loss of power tore, and was never acknowledged, may be there.
  for (const std::string& report : agent.reports)
    ASSERT_NE(report.find("cut by a loss of power"), std::string::npos) << report;
  ASSERT_TRUE(agent.desk->take_reports().empty());
}

}  // namespace checkrelay
