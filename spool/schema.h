// The database's tables and how older ones become today's. The document is FORMAT.md.
#pragma once

#include <cstddef>
#include <span>

#include "agent/base/result.h"
#include "spool/sqlite_db.h"

namespace checkrelay {

constexpr int kApplicationId = 0x63726c79;  // "crly"

// Step n brings user_version n to n + 1; each is a transaction of its own.
[[nodiscard]] std::span<const char* const> schema_steps();

// The version of its format. unsupported: it is another program's, or a newer version's.
[[nodiscard]] Result<std::size_t> format_of(Database& db,
                                            std::size_t known = schema_steps().size());
// Brings the database up to date. unsupported: it is another program's, or a newer version's.
[[nodiscard]] Result<void> migrate(Database& db,
                                   std::span<const char* const> steps = schema_steps());

}  // namespace checkrelay
