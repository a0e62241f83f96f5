#include "spool/schema.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>

namespace checkrelay {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('hash_key', randomblob(16));
CREATE TABLE log(
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL, lanes INTEGER NOT NULL,
  start INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE lane(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, cursor INTEGER NOT NULL, folded INTEGER NOT NULL,
  latest_upto INTEGER NOT NULL, pending INTEGER NOT NULL, delivered INTEGER NOT NULL,
  superseded INTEGER NOT NULL, expired INTEGER NOT NULL, dead INTEGER NOT NULL,
  retries INTEGER NOT NULL, passed BLOB NOT NULL, paused INTEGER NOT NULL,
  checksum INTEGER NOT NULL);
CREATE TABLE done(key INTEGER PRIMARY KEY, bits BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE aside(
  key INTEGER PRIMARY KEY, dead INTEGER NOT NULL, tries INTEGER NOT NULL,
  first_unknown INTEGER NOT NULL, answer TEXT NOT NULL, frame BLOB NOT NULL);
CREATE INDEX aside_dead ON aside(dead);
CREATE TABLE trail(
  number INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL, at INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE INDEX trail_span ON trail(high, low);
CREATE TABLE id(id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
)sql";

constexpr const char* kVersion2 = R"sql(
CREATE TABLE note(number INTEGER PRIMARY KEY, first INTEGER NOT NULL, data BLOB NOT NULL);
)sql";

constexpr std::array kSteps = {kVersion1, kVersion2};

std::int64_t pragma(Database& db, const char* sql) {
  Query q(db, sql);
  return q.row() ? q.get_integer() : 0;
}

bool step(Database& db, const char* sql, std::size_t version) {
  const auto stamp =
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kApplicationId, version);
  return db.exec("BEGIN IMMEDIATE") && db.exec(sql) && db.exec(stamp.c_str()) && db.exec("COMMIT");
}

}  // namespace

std::span<const char* const> schema_steps() { return kSteps; }

Result<std::size_t> format_of(Database& db, std::size_t known) {
  const auto version = pragma(db, "PRAGMA user_version");
  const auto application = pragma(db, "PRAGMA application_id");
  const auto tables = pragma(db, "SELECT count(*) FROM sqlite_schema");
  if (db.error() != SQLITE_OK) return tl::unexpected(db.as_error());
  if (application != kApplicationId && tables > 0)
    return fail(Errc::unsupported, "the database is not a checkrelay journal");
  if (version < 0 || static_cast<std::size_t>(version) > known)
    return fail(Errc::unsupported,
                fmt::format("the journal has format {}, this program knows up to {}: it was "
                            "written by a newer checkrelay",
                            version, known));
  return static_cast<std::size_t>(version);
}

Result<void> migrate(Database& db, std::span<const char* const> steps) {
  const auto version = format_of(db, steps.size());
  if (!version) return tl::unexpected(version.error());
  for (auto v = *version; v < steps.size(); ++v)
    if (!step(db, steps[v], v + 1)) return tl::unexpected(db.as_error());
  return {};
}

}  // namespace checkrelay
