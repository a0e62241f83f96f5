// What tests of damage share: an agent without the thread, a journal with some of everything, and
// what must be true of it whatever was done to its files.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spool/desk.h"
#include "spool/sqlite_store.h"
#include "tests/contract/journal_contract.h"

namespace checkrelay::damage {

constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kSeed = 20260601;

using Destinations = std::vector<std::pair<std::string, LaneOptions>>;
[[nodiscard]] Destinations all_and_latest();

struct Agent {
  explicit Agent(const std::string& directory, const Destinations& destinations = all_and_latest());
  void take_reports();
  // As the journal's thread does when nobody asks anything.
  void rest();
  [[nodiscard]] std::string told() const;
  // Those whose name was lost wait for the operator.
  void resume(LaneId lane);
  [[nodiscard]] LaneStats stats(LaneId lane) const { return desk->stats().lanes.at(lane); }
  bool stage(std::vector<Record> records, std::vector<Seq>* seqs = nullptr);
  // What comes of a lane until it has nothing more.
  std::map<Seq, std::string> drain(LaneId lane);

  Error error{};
  std::vector<std::string> reports{};
  std::vector<LaneId> lanes{};
  std::unique_ptr<SqliteStore> store{};
  std::unique_ptr<Desk> desk{};
};

[[nodiscard]] Record make(int n);

// A journal with some of everything, and what is known of it.
struct Sample {
  static constexpr int kRecords = 120;
  std::map<Seq, std::string> accepted{};
  std::set<Seq> finished{};  // at lane 0

  void fill(const std::string& directory);
  void settle(Agent& agent);
};

[[nodiscard]] std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);
// The first page of a table.
[[nodiscard]] std::size_t root_of(const std::string& directory, const char* table);
// Zeros in its place.
void wipe_page(std::string& database, std::size_t page);

class Damage : public testing::Test {
 protected:
  void SetUp() override;
  // A state directory with these files; "" = none.
  std::string place(const std::string& database, const std::string& log = {});
  // Each in turn; says where it failed.
  struct Sum {
    int cuts = 0, moved = 0;
    std::size_t lost = 0, most = 0;
  };
  void try_one(const std::string& damaged, const std::string& what, Sum& sum);
  static void tell(const char* what, const Sum& sum);
  struct Outcome {
    std::size_t lost = 0, again = 0;
    bool moved = false, told = false, refused = false;
  };
  // The agent starts on it, serves what is there, and says what is not.
  Outcome serve(const std::string& path, const std::string& damaged);

  TempDirectory directory_{TempDirectory::Place::memory};
  Sample sample_;
  std::string bytes_;
  std::string last_report_;
  std::size_t in_silence_ = 0;  // results that may be lost without a word

 private:
  void compare(Agent& agent, const std::string& path, const std::string& damaged,
               const std::map<Seq, std::string>& found, Seq fresh, Outcome& outcome);
  void check_books(const Agent& agent, const Outcome& outcome) const;
};

}  // namespace checkrelay::damage
