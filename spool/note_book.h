// The journal's notes over a Store: what is staged of them, and the log of what was. One thread. A
// turn is: stage(), then within the store's transaction look_back() and write(), then committed()
// or failed(). What a failed commit did is found out by the look_back() of the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/journal.h"
#include "spool/note_log.h"
#include "spool/store.h"

namespace checkrelay {

class NoteBook {
 public:
  explicit NoteBook(Store& store, NoteLimits limits = {}) : store_(store), log_(limits) {}
  // Reads everything, anew where it was read before. What is staged stays.
  void restore();

  [[nodiscard]] static Result<void> check(const std::vector<Note>& notes);  // invalid
  void stage(std::vector<Note>& notes);                                     // REQUIRES: checked
  [[nodiscard]] bool something_staged() const { return !staged_.empty(); }
  [[nodiscard]] std::size_t staged_bytes() const { return staged_bytes_; }

  // There is something to clean, whether or not anything is staged: grant() lets the next write()
  // do a step of it.
  [[nodiscard]] bool excess() const { return log_.excess(); }
  void grant();
  void look_back();
  void write();
  void committed();
  void failed();

  void each(const std::function<void(std::uint32_t number, std::string_view body)>& f);
  [[nodiscard]] const NoteLog& log() const { return log_; }
  [[nodiscard]] std::vector<std::string> take_reports() { return std::exchange(reports_, {}); }

 private:
  // What a transaction does: appends rows, where it does anything, and erases the oldest.
  struct Draft {
    std::vector<NoteRow> rows{};
    std::vector<NoteRow> old{};
    std::uint64_t weight = 0;  // of `old`
  };
  void take_old();
  void keep_newest(const NoteRow& row);
  void begin_row();
  void put(std::uint32_t number, std::string_view body);
  void apply();
  void clear_staged();

  Store& store_;
  NoteLog log_;
  std::map<std::uint32_t, std::string> staged_;
  std::size_t staged_bytes_ = 0;
  std::uint64_t credit_ = 0;        // bytes that may be cleaned
  std::uint64_t oldest_bytes_ = 0;  // of the oldest row, which waits for more credit; 0 = not known
  Draft draft_;
  bool doubt_ = false;  // whether draft_ was stored
  std::vector<std::string> reports_;
};

}  // namespace checkrelay
