// Damage to the files between two runs: the agent starts, what cannot be read is moved aside and
// kept, told and counted, and everything else goes on.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "spool/desk.h"
#include "spool/journal.h"
#include "spool/sqlite_store.h"
#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

namespace fs = std::filesystem;
using End = Settlement::End;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kSeed = 20260601;
constexpr auto kEpoch = 1'700'000'000'000'000;

struct Agent {
  explicit Agent(const std::string& directory) {
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
    desk->restore();
    EXPECT_TRUE(desk->lanes({{"all", {}}, {"latest", {Backlog::latest, {}}}}));
    take_reports();
  }
  void take_reports() {
    for (std::string& r : desk->take_reports()) reports.push_back(std::move(r));
  }
  // As the journal's thread does when nobody asks anything.
  void rest() {
    for (int i = 0; i < 20; ++i) (void)desk->upkeep(true);
    take_reports();
  }
  LaneStats stats(LaneId lane) const { return desk->stats().lanes.at(lane); }
  bool stage(std::vector<Record> records, std::vector<Seq>* seqs = nullptr) {
    auto stored = desk->stage(records);
    if (!desk->commit() || !stored) return false;
    for (const Stored& s : *stored)
      if (seqs != nullptr) seqs->push_back(s.seq);
    return true;
  }
  // What comes of a lane until it has nothing more.
  std::map<Seq, std::string> drain(LaneId lane) {
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

  Error error{};
  std::vector<std::string> reports{};
  std::unique_ptr<SqliteStore> store{};
  std::unique_ptr<Desk> desk{};
};

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

// A journal with some of everything, and what is known of it.
struct Sample {
  static constexpr int kRecords = 120;
  std::map<Seq, std::string> accepted{};
  std::set<Seq> finished{};  // at lane 0
  std::uint64_t dropped = 0;

  void fill(const std::string& directory) {
    Agent agent(directory);
    for (int n = 0; n < kRecords; n += 4) {
      const std::vector<Record> records{make(n), make(n + 1), make(n + 2), make(n + 3)};
      std::vector<Seq> seqs;
      ASSERT_TRUE(agent.stage(records, &seqs));
      for (std::size_t i = 0; i < seqs.size(); ++i) accepted[seqs[i]] = records[i].body;
      if (n < kRecords / 2) settle(agent);
    }
    const auto page = agent.desk->drop(0, {40});
    if (page > 0) finished.insert(40);
    dropped = page;
    ASSERT_TRUE(agent.desk->commit());
    agent.desk->save_all();
  }
  void settle(Agent& agent) {
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
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(directory_.path() + "/sample");
    sample_.fill(directory_.path() + "/sample");
    bytes_ = read_file(directory_.path() + "/sample/journal.db");
    ASSERT_GT(bytes_.size(), 20 * kPage);
  }
  // A state directory with these files; "" = none.
  std::string place(const std::string& database, const std::string& log = {}) {
    const auto path = directory_.path() + "/state";
    fs::remove_all(path);
    fs::create_directory(path);
    write_file(path + "/journal.db", database);
    if (!log.empty()) write_file(path + "/journal.db-wal", log);
    return path;
  }
  // Each in turn; says where it failed.
  struct Sum {
    int cuts = 0, moved = 0;
    std::size_t lost = 0, most = 0;
  };
  void try_one(const std::string& damaged, const std::string& what, Sum& sum) {
    const auto outcome = serve(place(damaged), damaged);
    ++sum.cuts;
    sum.moved += outcome.moved ? 1 : 0;
    sum.lost += outcome.lost;
    sum.most = std::max(sum.most, outcome.lost);
    if (HasFailure()) FAIL() << what << ": " << last_report_;
  }
  static void tell(const char* what, const Sum& sum) {
    std::cout << "damage: " << sum.cuts << " " << what << ": " << sum.moved << " times salvaged, "
              << sum.lost << " results lost, at most " << sum.most << " by one\n";
  }
  struct Outcome {
    std::size_t lost = 0, again = 0;
    bool moved = false, told = false, refused = false;
  };
  // The agent starts on it, serves what is there, and says what is not.
  Outcome serve(const std::string& path, const std::string& damaged) {
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
    (void)agent.desk->retry(0, {});
    const auto found = agent.drain(0);
    const auto news = agent.drain(1);
    agent.rest();
    for (const auto& [seq, body] : found) {
      const auto it = sample_.accepted.find(seq);
      EXPECT_TRUE(seq == fresh.at(0) || (it != sample_.accepted.end() && body == it->second))
          << seq << " is torn, or nobody's";
    }
    EXPECT_EQ(found.count(fresh.at(0)), 1U) << "the new one";
    for (const auto& [seq, body] : sample_.accepted) {
      if (found.count(seq) + sample_.finished.count(seq) == 0) ++outcome.lost;
      if (found.count(seq) + sample_.finished.count(seq) == 2) ++outcome.again;
    }
    const LaneStats all = agent.stats(0), latest = agent.stats(1);
    EXPECT_EQ(all.pending + all.in_flight + latest.pending + latest.in_flight, 0U);
    EXPECT_FALSE(news.empty());
    agent.take_reports();
    outcome.told = !agent.reports.empty();
    outcome.moved = fs::exists(path + "/journal.db.damaged-1");
    EXPECT_TRUE(outcome.lost <= in_silence_ || outcome.told) << outcome.lost << " lost in silence";
    EXPECT_TRUE(outcome.again == 0 || outcome.told) << outcome.again << " again in silence";
    // Written to before the damage was met, perhaps.
    EXPECT_TRUE(!outcome.moved ||
                read_file(path + "/journal.db.damaged-1").size() >= damaged.size());
    last_report_ = fmt::format("{}", fmt::join(agent.reports, "\n"));
    const bool books = (in_silence_ == 0 || outcome.lost == 0) &&
                       last_report_.find("which destinations") == std::string::npos &&
                       last_report_.find("no destination") == std::string::npos &&
                       last_report_.find("write-ahead log") == std::string::npos;
    if (books) {
      EXPECT_EQ(all.delivered + all.expired + all.dead, sample_.accepted.size() + 1);
      EXPECT_EQ(latest.delivered + latest.superseded + latest.expired, sample_.accepted.size() + 1);
    }
    return outcome;
  }

  TempDirectory directory_{TempDirectory::Place::memory};
  Sample sample_;
  std::string bytes_;
  std::string last_report_;
  std::size_t in_silence_ = 0;  // results that may be lost without a word
};

TEST_F(Damage, AWholeJournalIsServedInSilence) {
  const auto outcome = serve(place(bytes_), bytes_);
  EXPECT_EQ(outcome.lost + outcome.again, 0U);
  EXPECT_FALSE(outcome.told);
}

TEST_F(Damage, AFlippedBitInAnyPageLosesLittle) {
  std::mt19937_64 random(kSeed);
  Sum sum;
  for (std::size_t page = 0; page < bytes_.size() / kPage; ++page) {
    for (int i = 0; i < 12; ++i) {
      // Half of them where the page's own structure is.
      const std::size_t at = page * kPage + (i % 2 == 0 ? random() % 64 : random() % kPage);
      auto damaged = bytes_;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << random() % 8);
      try_one(damaged, fmt::format("byte {}", at), sum);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_LE(sum.most, 12U);
  tell("flipped bits, seed 20260601", sum);
}

TEST_F(Damage, APageOfNoiseOrOfZerosLosesWhatWasOnIt) {
  std::mt19937_64 random(kSeed);
  Sum sum;
  for (std::size_t page = 0; page < bytes_.size() / kPage; ++page) {
    std::string noise(kPage, '\0');
    try_one(std::string(bytes_).replace(page * kPage, kPage, noise), fmt::format("zero {}", page),
            sum);
    for (char& c : noise) c = static_cast<char>(random());
    try_one(std::string(bytes_).replace(page * kPage, kPage, noise), fmt::format("noise {}", page),
            sum);
    if (HasFatalFailure()) return;
  }
  tell("pages overwritten, seed 20260601", sum);
}

TEST_F(Damage, ATruncatedFileKeepsWhatIsLeft) {
  Sum sum;
  for (std::size_t page = 1; page < bytes_.size() / kPage; ++page) {
    try_one(bytes_.substr(0, page * kPage), fmt::format("{} pages left", page), sum);
    try_one(bytes_.substr(0, page * kPage + 1000), fmt::format("{} pages and a bit left", page),
            sum);
    if (HasFatalFailure()) return;
  }
  tell("truncations", sum);
}

TEST_F(Damage, WhatIsMissingIsToldByNumber) {
  // The first page of the log's rows that can be found.
  const auto at = bytes_.find(
                      "id30"
                      "30:") /
                  kPage * kPage;
  ASSERT_GT(at, 0U);
  const auto damaged = std::string(bytes_).replace(at, kPage, std::string(kPage, '\0'));
  const auto outcome = serve(place(damaged), damaged);
  EXPECT_GT(outcome.lost, 0U);
  EXPECT_THAT(last_report_, HasSubstr("of destination all"));
  EXPECT_THAT(last_report_, HasSubstr("missing are the numbers"));
}

TEST_F(Damage, AForeignFileIsMovedAsideUntouched) {
  const std::string foreign(30000, 'g');
  const auto path = place(foreign);
  Agent agent(path);
  ASSERT_NE(agent.desk, nullptr);
  EXPECT_TRUE(read_file(path + "/journal.db.damaged-1") == foreign);
  EXPECT_THAT(agent.reports, testing::ElementsAre(HasSubstr("0 records could be read")));
  EXPECT_TRUE(agent.stage({make(1)}));
}

TEST_F(Damage, ANewerJournalIsRefusedAndLeftUntouched) {
  auto newer = bytes_;
  newer[63] = 99;  // user_version, big-endian
  const auto path = place(newer);
  Agent agent(path);
  EXPECT_EQ(agent.error.code, Errc::unsupported);
  EXPECT_THAT(agent.error.what, HasSubstr("newer checkrelay"));
  EXPECT_TRUE(read_file(path + "/journal.db") == newer);
  EXPECT_FALSE(fs::exists(path + "/journal.db.damaged-1"));
}

// At no point of the renewal may a loss of power lose either of the two.
TEST_F(Damage, ARenewalThatWasCutShortIsFinished) {
  const auto damaged = std::string(bytes_).replace(0, kPage, std::string(kPage, 'x'));
  const auto path = place(damaged);
  write_file(path + "/journal.db.salvaged", "half a database");
  EXPECT_EQ(serve(path, damaged).lost, 0U);  // before it was whole

  const auto moved = place(damaged);
  fs::rename(moved + "/journal.db", moved + "/journal.db.damaged-1");
  write_file(moved + "/journal.db.salvaged", bytes_);
  write_file(moved + "/journal.db-wal", "of the damaged one");
  const auto outcome = serve(moved, damaged);
  EXPECT_EQ(outcome.lost, 0U);
  EXPECT_FALSE(outcome.told);
  EXPECT_EQ(read_file(moved + "/journal.db.damaged-1-wal"), "of the damaged one");
}

// As after a kill: much is in the write-ahead log alone.
class LogDamage : public Damage {
 protected:
  void SetUp() override {
    Damage::SetUp();
    const auto path = place(bytes_);
    Agent agent(path);
    for (int n = 200; n < 260; n += 2) {
      const std::vector<Record> records{make(n), make(n + 1)};
      std::vector<Seq> seqs;
      ASSERT_TRUE(agent.stage(records, &seqs));
      for (std::size_t i = 0; i < seqs.size(); ++i) sample_.accepted[seqs[i]] = records[i].body;
    }
    bytes_ = read_file(path + "/journal.db");
    log_ = read_file(path + "/journal.db-wal");
    ASSERT_GT(log_.size(), 30 * kFrame);
    in_silence_ = 2;  // of the last commit: nothing tells it from one that a loss of power tore
  }
  Outcome serve_with(const std::string& log) { return serve(place(bytes_, log), bytes_); }
  static constexpr std::size_t kFrame = kPage + 24;
  std::string log_;
};

TEST_F(LogDamage, AWholeLogIsReadInSilence) {
  const auto outcome = serve_with(log_);
  EXPECT_EQ(outcome.lost, 0U);
  EXPECT_FALSE(outcome.told);
}

TEST_F(LogDamage, WhatIsBehindAFlippedBitGoesOn) {
  std::mt19937_64 random(kSeed);
  std::size_t lost = 0, most = 0;
  int cuts = 0;
  for (std::size_t at = 0; at < log_.size(); at += kFrame / 2, ++cuts) {
    auto damaged = log_;
    damaged[std::min(at + random() % 60, log_.size() - 1)] ^= 4;
    const auto outcome = serve_with(damaged);
    lost += outcome.lost;
    most = std::max(most, outcome.lost);
    if (HasFailure()) FAIL() << "seed " << kSeed << ", near " << at << ": " << last_report_;
  }
  std::cout << "damage: " << cuts << " flipped bits in the write-ahead log, seed " << kSeed << ": "
            << lost << " results lost, at most " << most << " by one\n";
  EXPECT_LE(most, 4U);
}

TEST_F(LogDamage, ATruncatedLogKeepsWhatIsLeft) {
  std::size_t before = sample_.accepted.size();
  for (std::size_t size = 32; size <= log_.size(); size += kFrame) {
    Agent agent(place(bytes_, log_.substr(0, size)));
    ASSERT_NE(agent.desk, nullptr) << agent.error.what;
    agent.rest();
    const auto found = agent.drain(0);
    std::size_t missing = 0;
    for (const auto& [seq, body] : sample_.accepted) {
      if (seq <= Sample::kRecords) continue;
      const auto it = found.find(seq);
      if (it == found.end()) {
        ++missing;
      } else {
        EXPECT_EQ(it->second, body);
      }
    }
    EXPECT_LE(missing, before) << "with more of it";
    before = missing;
  }
  EXPECT_EQ(before, 0U);
}

TEST_F(LogDamage, AnotherJournalsLogIsMovedAside) {
  const auto other = directory_.path() + "/other";
  fs::create_directory(other);
  Agent agent(other);
  for (int n = 0; n < 20; ++n) ASSERT_TRUE(agent.stage({make(n)}));
  const auto foreign = read_file(other + "/journal.db-wal");
  const auto database = bytes_;
  const auto path = place(database, foreign);
  Agent here(path);
  ASSERT_NE(here.desk, nullptr) << here.error.what;
  EXPECT_THAT(here.reports, testing::ElementsAre(HasSubstr("another journal's")));
  EXPECT_TRUE(read_file(path + "/journal.db-wal.foreign-1") == foreign);
  (void)here.desk->retry(0, {});
  const auto found = here.drain(0);
  for (const auto& [seq, body] : sample_.accepted) {
    EXPECT_EQ(found.count(seq) + sample_.finished.count(seq), seq <= Sample::kRecords ? 1U : 0U);
  }
}

TEST_F(LogDamage, AMissingLogIsTold) {
  JournalOptions options;
  options.directory = place(bytes_);
  write_file(options.directory + "/lock", "4711\n");
  std::vector<std::string> reports;
  ASSERT_TRUE(open_sqlite_journal(options, nullptr, &reports));
  EXPECT_THAT(reports, testing::ElementsAre(HasSubstr("no write-ahead log")));
  ASSERT_TRUE(open_sqlite_journal(options, nullptr, &reports));
  EXPECT_THAT(reports, IsEmpty()) << "that end was in order";
}

}  // namespace
}  // namespace checkrelay
