#include "spool/sqlite_db.h"

#include <fmt/format.h>

#include <utility>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

int primary(int code) { return code & 0xff; }

}  // namespace

bool Database::open(const std::string& path, const std::string& vfs) {
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &db_, kFlags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    note_error(code, "open");
    return false;
  }
  // It stands where automatic checkpoints would: tidy() makes them instead.
  const auto hook = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Database*>(self)->wal_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_, hook, this);
  full_sync_.reset();
  return true;
}

void Database::close() {
  for (auto& [sql, stmt] : statements_) sqlite3_finalize(stmt);
  statements_.clear();
  if (db_ != nullptr) sqlite3_close(db_);
  db_ = nullptr;
  wal_pages_ = 0;
}

void Database::clear_error() {
  error_ = SQLITE_OK;
  what_.clear();
}

void Database::note_error(int code, const char* doing) {
  if (error_ != SQLITE_OK) return;
  error_ = primary(code) == SQLITE_OK ? SQLITE_ERROR : primary(code);
  const char* text = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
  what_ = fmt::format("{} (SQLite {}, {})", text, code, quoted(doing));
}

void Database::note_damage(std::string what) {
  if (error_ != SQLITE_OK) return;
  error_ = SQLITE_CORRUPT;
  what_ = std::move(what);
}

void Database::note_trouble(const Error& error) {
  error_ = error.code == Errc::full ? SQLITE_FULL : SQLITE_IOERR;
  what_ = error.what;
}

Error Database::as_error() const {
  if (error_ == SQLITE_FULL) return {Errc::full, what_};
  return {damaged() ? Errc::corrupt : Errc::unavailable, what_};
}

bool Database::exec(const char* sql) {
  if (error_ != SQLITE_OK) return false;
  const int code =
      db_ == nullptr ? SQLITE_MISUSE : sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) note_error(code, sql);
  return code == SQLITE_OK;
}

void Database::checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr);
  if (code != SQLITE_OK) note_error(code, "checkpoint");
  wal_pages_ = 0;
}

void Database::sync_commits(bool full) {
  if (full == full_sync_) return;
  if (exec(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL")) full_sync_ = full;
}

sqlite3_stmt* Database::prepared(const char* sql) {
  if (error_ != SQLITE_OK || db_ == nullptr) return nullptr;
  auto& stmt = statements_[sql];
  if (stmt != nullptr) return stmt;
  const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (code != SQLITE_OK) note_error(code, sql);
  return stmt;
}

Query::~Query() {
  if (stmt_ == nullptr) return;
  sqlite3_reset(stmt_);
  sqlite3_clear_bindings(stmt_);
}

void Query::check(int code) {
  if (code == SQLITE_OK) return;
  db_.note_error(code, sqlite3_sql(stmt_));
  sqlite3_reset(stmt_);
  stmt_ = nullptr;
}

Query& Query::integer(std::int64_t v) {
  if (stmt_ != nullptr) check(sqlite3_bind_int64(stmt_, next_bind_++, v));
  return *this;
}

Query& Query::blob(std::string_view v) {
  if (stmt_ == nullptr) return *this;
  const char* bytes = v.data() != nullptr ? v.data() : "";
  check(sqlite3_bind_blob64(stmt_, next_bind_++, bytes, v.size(), SQLITE_STATIC));
  return *this;
}

Query& Query::text(std::string_view v) {
  if (stmt_ == nullptr) return *this;
  const char* bytes = v.data() != nullptr ? v.data() : "";
  check(sqlite3_bind_text64(stmt_, next_bind_++, bytes, v.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

bool Query::row() {
  if (stmt_ == nullptr) return false;
  next_column_ = 0;
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) check(code);
  return false;
}

bool Query::run() {
  while (row()) {
  }
  return stmt_ != nullptr && db_.error() == SQLITE_OK;
}

std::int64_t Query::get_integer() {
  return stmt_ == nullptr ? 0 : sqlite3_column_int64(stmt_, next_column_++);
}

std::string Query::get_bytes() {
  if (stmt_ == nullptr) return {};
  const int column = next_column_++;
  const void* bytes = sqlite3_column_blob(stmt_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column));
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace checkrelay
