// A connection to SQLite, thinly: statements prepared once, values bound and read in order, and an
// error that stays until it is cleared, so that callers check once at the end. One thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/base/result.h"

namespace checkrelay {

class Database {
 public:
  Database() = default;
  ~Database() { close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] bool open(const std::string& path, const std::string& vfs);
  void close();
  [[nodiscard]] bool is_open() const { return db_ != nullptr; }
  [[nodiscard]] sqlite3* handle() const { return db_; }
  bool exec(const char* sql);  // false where it failed, or something before it did

  [[nodiscard]] int error() const { return error_; }  // primary result code; SQLITE_OK
  [[nodiscard]] const std::string& what() const { return what_; }
  [[nodiscard]] bool damaged() const { return error_ == SQLITE_CORRUPT || error_ == SQLITE_NOTADB; }
  void clear_error();
  void note_error(int code, const char* doing);
  void note_damage(std::string what);  // that SQLite does not know of
  void note_trouble(const Error& error);
  [[nodiscard]] Error as_error() const;  // full, corrupt or unavailable
  [[nodiscard]] int wal_pages() const { return wal_pages_; }
  void checkpoint(int mode);
  void sync_commits(bool full);  // whether a commit waits for the disk; outside a transaction

 private:
  friend class Query;
  [[nodiscard]] sqlite3_stmt* prepared(const char* sql);
  sqlite3* db_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;  // by address: literals only
  int error_ = SQLITE_OK;
  std::string what_;
  int wal_pages_ = 0;
  std::optional<bool> full_sync_{};  // as SQLite was told last
};

// One use of a statement. `sql` must be a literal. Blobs and texts are not copied: they must
// outlive the Query.
//   for (Query q(db, "SELECT a, b FROM t WHERE c = ?"); q.bind(7).row();) use(q.integer(),
//   q.bytes());
class Query {
 public:
  Query(Database& db, const char* sql) : db_(db), stmt_(db.prepared(sql)) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& integer(std::int64_t v);
  Query& number(std::uint64_t v) { return integer(static_cast<std::int64_t>(v)); }
  Query& blob(std::string_view v);
  Query& text(std::string_view v);
  [[nodiscard]] bool row();  // false at the end and after an error
  bool run();                // to its end; false after an error

  [[nodiscard]] std::int64_t get_integer();
  [[nodiscard]] std::uint64_t get_number() { return static_cast<std::uint64_t>(get_integer()); }
  [[nodiscard]] std::string get_bytes();

 private:
  void check(int code);
  Database& db_;
  sqlite3_stmt* stmt_;
  int next_bind_ = 1, next_column_ = 0;
};

}  // namespace checkrelay
