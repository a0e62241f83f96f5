#include "tests/spool/journal/damage_rig.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace checkrelay::damage {
namespace {

namespace fs = std::filesystem;
using End = Settlement::End;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kEpoch = 1'700'000'000'000'000;

}  // namespace

Destinations all_and_latest() { return {{"all", {}}, {"latest", {Backlog::latest, {}}}}; }

Agent::Agent(const std::string& directory, const Destinations& destinations) {
  SqliteStoreOptions options;
  options.directory = directory;
  auto made = SqliteStore::open(options, &reports);
  if (!made) {
    error = made.error();
    return;
  }
  store = std::move(*made);
  DeskOptions desk_options;
  desk_options.batch_bytes = 3000;
  desk = std::make_unique<Desk>(*store, desk_options);
  desk->clock({Steady(std::chrono::hours(1)), Wall(Duration(kEpoch))});
  if (auto ok = desk->restore(); !ok) {
    error = ok.error();
    desk.reset();
    return;
  }
  if (auto ids = desk->lanes(destinations)) lanes = *ids;
  EXPECT_EQ(lanes.size(), destinations.size());
  take_reports();
}

void Agent::take_reports() {
  for (std::string& r : desk->take_reports()) reports.push_back(std::move(r));
}

void Agent::rest() {
  for (int i = 0; i < 20; ++i) (void)desk->upkeep(true);
  take_reports();
}

std::string Agent::told() const { return fmt::format("{}", fmt::join(reports, "\n")); }

void Agent::resume(LaneId lane) {
  if (!stats(lane).paused) return;
  EXPECT_THAT(told(), HasSubstr("lost"));
  EXPECT_THAT(desk->claim(lane, 1000, 64 << 20), IsEmpty());
  EXPECT_TRUE(desk->pause(lane, false));
}

bool Agent::stage(std::vector<Record> records, std::vector<Seq>* seqs) {
  auto stored = desk->stage(records);
  if (!desk->commit() || !stored) return false;
  for (const Stored& s : *stored)
    if (seqs != nullptr) seqs->push_back(s.seq);
  return true;
}

std::map<Seq, std::string> Agent::drain(LaneId lane) {
  std::map<Seq, std::string> found;
  for (int i = 0; i < 200 && stats(lane).pending > 0; ++i) {
    std::vector<Settlement> settlements;
    for (Claim& c : desk->claim(lane, 1000, 64 << 20)) {
      Settlement s;
      s.seq = c.seq;
      s.end = End::delivered;
      settlements.push_back(s);
      EXPECT_TRUE(found.emplace(c.seq, std::move(c.body)).second) << c.seq << " came twice";
    }
    desk->settle(lane, settlements);
    (void)desk->commit();
    rest();
  }
  return found;
}

Record make(int n) {
  Record r;
  r.id = fmt::format("id{}", n);
  r.id_given = n % 2 == 0;
  r.subject = fmt::format("s{}", n % 30);
  r.time = r.received = Wall(Duration(kEpoch + n));
  r.lanes = 3;
  r.body = fmt::format("{}:{}", n, std::string(static_cast<std::size_t>(n % 9) * 200, 'x'));
  return r;
}

void Sample::fill(const std::string& directory) {
  Agent agent(directory);
  for (int n = 0; n < kRecords; n += 4) {
    const std::vector<Record> records{make(n), make(n + 1), make(n + 2), make(n + 3)};
    std::vector<Seq> seqs;
    ASSERT_TRUE(agent.stage(records, &seqs));
    for (std::size_t i = 0; i < seqs.size(); ++i) accepted[seqs[i]] = records[i].body;
    if (n < kRecords / 2) settle(agent);
  }
  if (agent.desk->drop(0, {40}) > 0) finished.insert(40);
  ASSERT_TRUE(agent.desk->commit());
  agent.desk->save_all();
}

void Sample::settle(Agent& agent) {
  constexpr End kEnds[] = {End::later, End::delivered, End::dead, End::delivered};
  std::vector<Settlement> settlements;
  for (const Claim& c : agent.desk->claim(0, 3, 1 << 20)) {
    Settlement s;
    s.seq = c.seq;
    s.end = kEnds[c.seq % 4];
    if (s.end == End::delivered) finished.insert(c.seq);
    settlements.push_back(s);
  }
  agent.desk->settle(0, settlements);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::size_t root_of(const std::string& directory, const char* table) {
  Database db;
  EXPECT_TRUE(db.open(directory + "/journal.db", ""));
  Query q(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?");
  const auto page = q.text(table).row() ? q.get_number() : 0;
  EXPECT_GT(page, 1U);
  return page;
}

void wipe_page(std::string& database, std::size_t page) {
  database.replace((page - 1) * kPage, kPage, std::string(kPage, '\0'));
}

void Damage::SetUp() {
  fs::create_directory(directory_.path() + "/sample");
  sample_.fill(directory_.path() + "/sample");
  bytes_ = read_file(directory_.path() + "/sample/journal.db");
  ASSERT_GT(bytes_.size(), 20 * kPage);
}

std::string Damage::place(const std::string& database, const std::string& log) {
  const auto path = directory_.path() + "/state";
  fs::remove_all(path);
  fs::create_directory(path);
  write_file(path + "/journal.db", database);
  if (!log.empty()) write_file(path + "/journal.db-wal", log);
  return path;
}

void Damage::try_one(const std::string& damaged, const std::string& what, Sum& sum) {
  const auto outcome = serve(place(damaged), damaged);
  ++sum.cuts;
  sum.moved += outcome.moved ? 1 : 0;
  sum.lost += outcome.lost;
  sum.most = std::max(sum.most, outcome.lost);
  if (HasFailure()) FAIL() << what << ": " << last_report_;
}

void Damage::tell(const char* what, const Sum& sum) {
  std::cout << "damage: " << sum.cuts << " " << what << ": " << sum.moved << " times salvaged, "
            << sum.lost << " results lost, at most " << sum.most << " by one\n";
}

Damage::Outcome Damage::serve(const std::string& path, const std::string& damaged) {
  Outcome outcome;
  Agent agent(path);
  if (agent.desk == nullptr) {
    // One bit made it another program's, or a newer version's: it is left as it is.
    EXPECT_EQ(agent.error.code, Errc::unsupported) << agent.error.what;
    EXPECT_TRUE(read_file(path + "/journal.db") == damaged);
    outcome.refused = true;
    return outcome;
  }
  agent.rest();
  std::vector<Seq> fresh;
  EXPECT_TRUE(agent.stage({make(Sample::kRecords + 1)}, &fresh));
  for (const LaneId lane : {0U, 1U}) agent.resume(lane);
  Desk::RetryJob dead{.lane = 0};
  while (!agent.desk->retry_some(dead)) {
  }
  const auto found = agent.drain(0);
  EXPECT_FALSE(agent.drain(1).empty());
  agent.rest();
  compare(agent, path, damaged, found, fresh.at(0), outcome);
  check_books(agent, outcome);
  return outcome;
}

void Damage::compare(Agent& agent, const std::string& path, const std::string& damaged,
                     const std::map<Seq, std::string>& found, Seq fresh, Outcome& outcome) {
  for (const auto& [seq, body] : found) {
    const auto it = sample_.accepted.find(seq);
    EXPECT_TRUE(seq == fresh || (it != sample_.accepted.end() && body == it->second))
        << seq << " is torn, or nobody's";
  }
  EXPECT_EQ(found.count(fresh), 1U) << "the new one";
  for (const auto& [seq, body] : sample_.accepted) {
    const auto ends = found.count(seq) + sample_.finished.count(seq);
    outcome.lost += ends == 0 ? 1 : 0;
    outcome.again += ends == 2 ? 1 : 0;
  }
  agent.take_reports();
  last_report_ = agent.told();
  outcome.told = !agent.reports.empty();
  outcome.moved = fs::exists(path + "/journal.db.damaged-1");
  EXPECT_TRUE(outcome.lost <= in_silence_ || outcome.told) << outcome.lost << " lost in silence";
  EXPECT_TRUE(outcome.again == 0 || outcome.told) << outcome.again << " again in silence";
  // Written to before the damage was met, perhaps.
  EXPECT_TRUE(!outcome.moved || read_file(path + "/journal.db.damaged-1").size() >= damaged.size());
}

void Damage::check_books(const Agent& agent, const Outcome& outcome) const {
  const LaneStats all = agent.stats(0), latest = agent.stats(1);
  EXPECT_EQ(all.pending + all.in_flight + latest.pending + latest.in_flight, 0U);
  if (in_silence_ > 0 && outcome.lost > 0) return;
  for (const char* unknown :
       {"which destinations", "is not known", "no destination", "write-ahead log"})
    if (last_report_.find(unknown) != std::string::npos) return;
  EXPECT_EQ(all.delivered + all.expired + all.dead, sample_.accepted.size() + 1);
  EXPECT_EQ(latest.delivered + latest.superseded + latest.expired, sample_.accepted.size() + 1);
}

}  // namespace checkrelay::damage
