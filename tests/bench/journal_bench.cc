// The journal beside what it is made of, in one run, taking turns: staged and synced records a
// second beside plain SQLite rows at 1,000 a transaction, and the wait of a lone record beside one
// fdatasync. Prints a table; judges nothing.
//   journal-bench [DIRECTORY [SECONDS]]
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "spool/journal.h"

namespace {

using namespace checkrelay;
using Clock = std::chrono::steady_clock;

constexpr int kRows = 1000;  // a transaction
constexpr int kRounds = 5;
constexpr int kBody = 300;  // bytes of a record
constexpr int kWindow = 8;  // submissions under way

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double at(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(part * static_cast<double>(values.size() - 1)));
}

double raw_rows(const std::string& file, double seconds) {
  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  sqlite3_exec(db,
               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
               "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, body BLOB)",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO t(body) VALUES(?)", -1, &insert, nullptr);
  const std::string body(kBody, 'x');
  const auto start = Clock::now();
  double rows = 0;
  for (; seconds_since(start) < seconds; rows += kRows) {
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    for (int i = 0; i < kRows; ++i) {
      sqlite3_bind_blob(insert, 1, body.data(), kBody, SQLITE_STATIC);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  const double rate = rows / seconds_since(start);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return rate;
}

std::vector<double> syncs(const std::string& file, double seconds) {
  const int fd = open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  std::vector<double> waits;
  for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
    const auto before = Clock::now();
    if (write(fd, page.data(), page.size()) < 0 || fdatasync(fd) != 0) break;
    waits.push_back(seconds_since(before) * 1e6);
  }
  close(fd);
  return waits;
}

class Agent {
 public:
  Agent(const std::string& directory, Backlog backlog) {
    JournalOptions options;
    options.directory = directory;
    auto opened = open_sqlite_journal(
        options, [this] { wake(); }, nullptr);
    if (!opened) {
      fmt::print(stderr, "{}\n", opened.error().what);
      std::exit(1);
    }
    journal_ = std::move(*opened);
    poll();
    if (!journal_->lanes({{"a", {backlog, {}}}})) std::exit(1);
  }
  Journal& journal() { return *journal_; }
  void poll() {
    Instant now;
    now.steady = std::chrono::time_point_cast<Duration>(Clock::now());
    now.wall = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    now_ = now.wall;
    journal_->poll(now);
    journal_->flush();
  }
  void until(const std::function<bool()>& holds) {
    for (poll(); !holds(); poll()) {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return woke_; });
      woke_ = false;
    }
  }
  void stage(int n, std::function<void()> done) {
    std::vector<Record> records(static_cast<std::size_t>(n));
    for (Record& r : records) {
      r.id = fmt::format("0190a2b4-0000-7000-8000-{:012}", made_);
      r.subject = fmt::format("host{};service", made_++ % 10000);
      r.time = r.received = now_;
      r.lanes = 1;
      r.body.assign(kBody, 'x');
    }
    journal_->stage(std::move(records), [done](auto result) {
      if (!result) {
        fmt::print(stderr, "{}\n", result.error().what);
        std::exit(1);
      }
      done();
    });
  }

 private:
  void wake() {
    const std::lock_guard lock(mutex_);
    woke_ = true;
    woken_.notify_one();
  }
  std::mutex mutex_;
  std::condition_variable woken_;
  bool woke_ = false;
  long made_ = 0;
  Wall now_{};
  std::unique_ptr<Journal> journal_;
};

double staged_rate(Agent& agent, double seconds) {
  const auto start = Clock::now();
  int under_way = 0;
  double records = 0;
  while (seconds_since(start) < seconds || under_way > 0) {
    for (; under_way < kWindow && seconds_since(start) < seconds; ++under_way)
      agent.stage(kRows, [&] {
        --under_way;
        records += kRows;
      });
    agent.until([&] { return under_way < kWindow; });
  }
  return records / seconds_since(start);
}

double drained_rate(Agent& agent) {
  const auto start = Clock::now();
  double records = 0;
  for (bool more = true; more;) {
    bool came = false;
    agent.journal().claim(0, kRows, 64U << 20, [&](std::vector<Claim> claims) {
      came = true;
      more = !claims.empty();
      records += static_cast<double>(claims.size());
      std::vector<Settlement> settlements;
      for (const Claim& c : claims) {
        Settlement s;
        s.seq = c.seq;
        s.end = Settlement::End::delivered;
        settlements.push_back(s);
      }
      agent.journal().settle(0, std::move(settlements));
    });
    agent.until([&] { return came; });
  }
  return records / seconds_since(start);
}

std::vector<double> lone_waits(Agent& agent, double seconds) {
  std::vector<double> waits;
  for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
    bool done = false;
    const auto before = Clock::now();
    agent.stage(1, [&] { done = true; });
    agent.until([&] { return done; });
    waits.push_back(seconds_since(before) * 1e6);
  }
  return waits;
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::atol(line.c_str() + 6);
  return 0;
}

void run(const std::string& directory, double seconds) {
  std::vector<double> raw, staged, drained, sync_p50, sync_p99, ack_p50, ack_p99;
  for (int round = 0; round < kRounds; ++round) {
    const auto place = fmt::format("{}/{}", directory, round);
    std::filesystem::create_directories(place);
    raw.push_back(raw_rows(place + "/raw.db", seconds));
    {
      Agent agent(place + "/state", Backlog::all);
      staged.push_back(staged_rate(agent, seconds));
      drained.push_back(drained_rate(agent));
    }
    const auto waits = syncs(place + "/syncs", seconds);
    Agent agent(place + "/lone", Backlog::all);
    const auto lone = lone_waits(agent, seconds);
    sync_p50.push_back(at(waits, 0.5));
    sync_p99.push_back(at(waits, 0.99));
    ack_p50.push_back(at(lone, 0.5));
    ack_p99.push_back(at(lone, 0.99));
    std::filesystem::remove_all(place);
  }
  const auto mid = [](const std::vector<double>& v) { return at(v, 0.5); };
  fmt::print("SQLite rows, {} a transaction   {:>9.0f} /s\n", kRows, mid(raw));
  fmt::print("journal, staged and synced        {:>9.0f} /s   {:.2f}\n", mid(staged),
             mid(staged) / mid(raw));
  fmt::print("journal, claimed and settled      {:>9.0f} /s   {:.2f}\n", mid(drained),
             mid(drained) / mid(raw));
  fmt::print("fdatasync p50 {:.0f} us, p99 {:.0f} us\n", mid(sync_p50), mid(sync_p99));
  fmt::print("lone record p50 {:.0f} us, p99 {:.0f} us   p99 ratio {:.2f}\n", mid(ack_p50),
             mid(ack_p99), mid(ack_p99) / mid(sync_p99));
  fmt::print("resident at the end {} KiB\n", resident_kib());
}

}  // namespace

int main(int argc, char** argv) {
  std::string place = argc > 1 ? argv[1] : ".";
  place += "/journal-bench-XXXXXX";
  if (mkdtemp(place.data()) == nullptr) return 1;
  run(place, argc > 2 ? std::atof(argv[2]) : 2.0);
  std::filesystem::remove_all(place);
}
