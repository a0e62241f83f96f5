// What SQLite would pass over in silence when it opens a journal that was not closed in order: a
// write-ahead log that is another journal's, or one that is damaged somewhere, behind which all
// that was committed later is there and yet not read. Only looks; REQUIRES: nobody has it open.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "spool/store.h"

namespace checkrelay {

class SqliteStore;

struct LogTail {
  struct Rows {
    LogRow row{};
    std::string data{};
  };
  bool foreign = false;                      // the log's key of the journal is not the database's
  std::map<Seq, Rows> rows{};                // of the table `log`, behind the damage
  LaneMask lanes = 0;                        // of their records
  std::map<std::uint64_t, NoteRow> notes{};  // of the table `note`, likewise
  [[nodiscard]] bool empty() const { return rows.empty() && notes.empty(); }
};

[[nodiscard]] LogTail look_at_log(const std::string& database);

struct TailTaken {
  std::size_t records = 0;
  std::size_t notes = 0;       // rows
  std::vector<Run> missing{};  // numbers between them that are not there
};
// Appends the records, and the rows of notes, that are newer than all that the store has.
[[nodiscard]] TailTaken append_tail(const LogTail& tail, SqliteStore& into);

}  // namespace checkrelay
