// The SQLite store, to be looked at alone.
#include <fmt/format.h>

#include "spool/schema.h"
#include "spool/snapshot_vfs.h"
#include "spool/sqlite_store.h"

namespace checkrelay {

Result<std::unique_ptr<SqliteStore>> SqliteStore::read(SqliteStoreOptions options) {
  options.vfs = snapshot_vfs();
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  store->reading_ = true;
  if (auto ok = store->connect_reading(); !ok) return tl::unexpected(ok.error());
  return store;
}

std::vector<std::string> SqliteStore::quick_check() {
  std::vector<std::string> faults;
  {
    Query q(db_, "PRAGMA quick_check(5)");
    while (q.row())
      if (auto line = q.get_bytes(); line != "ok") faults.push_back(std::move(line));
  }
  if (failed()) faults.push_back(db_.what());
  return faults;
}

Result<void> SqliteStore::connect_reading() {
  if (!db_.open(path(), options_.vfs))
    return fail(Errc::unavailable, fmt::format("{}: {}", path(), db_.what()));
  sqlite3_db_config(db_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  const bool ready = db_.exec(
      "PRAGMA locking_mode=EXCLUSIVE;"
      "PRAGMA query_only=ON;"
      "PRAGMA temp_store=MEMORY;"
      "PRAGMA cell_size_check=ON;");
  if (!ready) return tl::unexpected(db_.as_error());
  const auto version = format_of(db_);
  if (!version) return tl::unexpected(version.error());
  if (*version == 0) return fail(Errc::unavailable, path() + ": no agent has begun it yet");
  if (*version < schema_steps().size())
    return fail(Errc::unsupported,
                fmt::format("the journal has format {}; the agent brings it to {} when it starts",
                            *version, schema_steps().size()));
  return look_around();
}

}  // namespace checkrelay
