// The rows of notes of the SQLite store.
#include "spool/sqlite_store.h"

namespace checkrelay {

void SqliteStore::append_notes(const NoteRow& row) {
  Query q(db_, "INSERT INTO note(number, first, data) VALUES(?, ?, ?)");
  q.number(row.number).number(row.first).blob(row.data).run();
}

void SqliteStore::erase_notes(std::uint64_t upto) {
  Query(db_, "DELETE FROM note WHERE number <= ?").number(upto).run();
}

std::uint64_t SqliteStore::newest_notes() {
  Query q(db_, "SELECT number FROM note ORDER BY number DESC LIMIT 1");
  return q.row() ? q.get_number() : 0;
}

std::optional<NoteRow> SqliteStore::notes_after(std::uint64_t number) {
  Query q(db_, "SELECT number, first, data FROM note WHERE number > ? ORDER BY number LIMIT 1");
  if (!q.number(number).row()) return std::nullopt;
  NoteRow row;
  row.number = q.get_number();
  row.first = q.get_number();
  row.data = q.get_bytes();
  return row;
}

}  // namespace checkrelay
