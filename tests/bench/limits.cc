#include "tests/bench/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/bench/give_up.h"
#include "tests/bench/series.h"

namespace checkrelay::bench {
namespace {

constexpr std::size_t kRowBytes = 300;
constexpr std::size_t kAppendBytes = 4096;

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) !=
        SQLITE_OK)
      give_up("{}: {}", sql, sqlite3_errmsg(db));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  Statement& bind(int index, const std::string& blob) {
    sqlite3_bind_blob(statement_, index, blob.data(), static_cast<int>(blob.size()), SQLITE_STATIC);
    return *this;
  }
  // Runs to the end; how many rows it gave.
  std::uint64_t run() {
    std::uint64_t rows = 0;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(statement_)) == SQLITE_ROW)
      rows += sqlite3_column_bytes(statement_, 1) > 0 ? 1 : 0;
    if (rc != SQLITE_DONE) give_up("SQLite: {}", sqlite3_errmsg(db_));
    sqlite3_reset(statement_);
    return rows;
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  explicit Database(const std::string& directory) : directory_(directory + "/limit") {
    std::filesystem::create_directories(directory_);
    if (sqlite3_open((directory_ + "/db").c_str(), &db_) != SQLITE_OK)
      give_up("SQLite: {}", sqlite3_errmsg(db_));
    exec(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
        "CREATE TABLE result(id INTEGER PRIMARY KEY, body BLOB)");
  }
  ~Database() {
    sqlite3_close(db_);
    std::filesystem::remove_all(directory_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void exec(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      give_up("{}: {}", sql, sqlite3_errmsg(db_));
  }
  sqlite3* handle() { return db_; }

 private:
  std::string directory_;
  sqlite3* db_ = nullptr;
};

class Inserter {
 public:
  explicit Inserter(Database& db)
      : begin_(db.handle(), "BEGIN IMMEDIATE"),
        insert_(db.handle(), "INSERT INTO result(body) VALUES(?1)"),
        commit_(db.handle(), "COMMIT") {}
  void transaction(std::uint64_t rows) {
    begin_.run();
    for (std::uint64_t i = 0; i < rows; ++i) insert_.bind(1, body_).run();
    commit_.run();
  }
  void resize(std::size_t bytes) { body_.resize(bytes, 'r'); }

 private:
  Statement begin_, insert_, commit_;
  std::string body_ = std::string(kRowBytes, 'r');
};

class Remover {
 public:
  explicit Remover(Database& db)
      : select_(db.handle(), "SELECT id, body FROM result ORDER BY id LIMIT ?1"),
        remove_(db.handle(), "DELETE FROM result WHERE id <= ?1") {}
  void oldest(std::uint64_t rows, std::uint64_t up_to) {
    if (select_.bind(1, static_cast<std::int64_t>(rows)).run() != rows) give_up("SQLite lost rows");
    remove_.bind(1, static_cast<std::int64_t>(up_to)).run();
  }

 private:
  Statement select_, remove_;
};

}  // namespace

struct PackedInserts::Parts {
  explicit Parts(const std::string& directory) : db(directory), inserter(db) {
    db.exec("PRAGMA locking_mode=EXCLUSIVE");
  }
  Database db;
  Inserter inserter;
};
PackedInserts::PackedInserts(const std::string& directory)
    : parts_(std::make_unique<Parts>(directory)) {}
PackedInserts::~PackedInserts() = default;
void PackedInserts::transaction(std::size_t results) {
  parts_->inserter.resize(results * kRowBytes);
  parts_->inserter.transaction(1);
}

double sqlite_inserts(const std::string& directory, std::uint64_t rows,
                      std::uint64_t rows_a_transaction) {
  Database db(directory);
  Inserter inserter(db);
  double began = seconds_now();
  for (std::uint64_t done = 0; done < rows; done += rows_a_transaction)
    inserter.transaction(std::min(rows_a_transaction, rows - done));
  return static_cast<double>(rows) / (seconds_now() - began);
}

// With the table empty between batches, ids begin again at 1.
double sqlite_cycle(const std::string& directory, std::uint64_t rows,
                    std::uint64_t rows_a_transaction) {
  Database db(directory);
  Inserter inserter(db);
  Remover remover(db);
  double began = seconds_now();
  for (std::uint64_t done = 0; done < rows; done += rows_a_transaction) {
    std::uint64_t batch = std::min(rows_a_transaction, rows - done);
    inserter.transaction(batch);
    remover.oldest(batch, batch);
  }
  return static_cast<double>(rows) / (seconds_now() - began);
}

std::vector<double> sqlite_commit_times(const std::string& directory, std::uint64_t rows) {
  Database db(directory);
  Inserter inserter(db);
  std::vector<double> times;
  for (std::uint64_t i = 0; i < rows; ++i) {
    double began = seconds_now();
    inserter.transaction(1);
    times.push_back(seconds_now() - began);
  }
  return times;
}

double spool_reads(const std::string& directory) {
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) give_up("{}: cannot be read", directory);
  double began = seconds_now();
  std::uint64_t files = 0;
  char buffer[65536];
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    int fd = checked(openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC), entry->d_name);
    while (read(fd, buffer, sizeof buffer) > 0) {
    }
    close(fd);
    checked(unlinkat(dirfd(dir), entry->d_name, 0), entry->d_name);
    ++files;
  }
  closedir(dir);
  return static_cast<double>(files) / (seconds_now() - began);
}

std::vector<double> sync_times(const std::string& directory, std::uint64_t appends) {
  std::string path = directory + "/appended";
  int fd =
      checked(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), path.c_str());
  std::string page(kAppendBytes, 'p');
  std::vector<double> times;
  for (std::uint64_t i = 0; i < appends; ++i) {
    double began = seconds_now();
    if (write(fd, page.data(), page.size()) != static_cast<ssize_t>(page.size()))
      give_up("{}: write failed", path);
    checked(fdatasync(fd), "fdatasync");
    times.push_back(seconds_now() - began);
  }
  close(fd);
  std::filesystem::remove(path);
  return times;
}

}  // namespace checkrelay::bench
