// The rows of notes of the SQLite store.
#include "spool/sqlite_store.h"

namespace checkrelay {
namespace {

NoteRow note_row(Query& q) {
  NoteRow row;
  row.number = q.get_number();
  row.first = q.get_number();
  row.data = q.get_bytes();
  return row;
}

std::size_t intact(const NoteRow& row) {
  const auto read = read_notes(row);
  return read.notes.size() + (read.placed ? 1 : 0);
}

}  // namespace

void SqliteStore::append_notes(const NoteRow& row) {
  Query q(db_, "INSERT OR REPLACE INTO note(number, first, data) VALUES(?, ?, ?)");
  q.number(row.number).number(row.first).blob(row.data).run();
}

std::size_t SqliteStore::keep_notes(const NoteRow& row) {
  const auto before = notes_after(row.number - 1);
  if (before && before->number == row.number && intact(*before) >= intact(row)) return 0;
  append_notes(row);
  return row.data.size();
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
  return q.number(number).row() ? std::optional(note_row(q)) : std::nullopt;
}

void SqliteStore::scan_notes(const std::function<void(const NoteRow&)>& each) {
  Query q(db_, "SELECT number, first, data FROM note ORDER BY number");
  while (q.row()) each(note_row(q));
}

}  // namespace checkrelay
