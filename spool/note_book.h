// The journal's notes over a Store: what is staged of them, and where the newest of each number is
// read. One thread. A turn is: stage(), write() within the store's transaction, committed() or
// failed().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/journal.h"
#include "spool/note_row.h"
#include "spool/store.h"

namespace checkrelay {

class NoteBook {
 public:
  explicit NoteBook(Store& store) : store_(store) {}
  // Errors: invalid; nothing was staged then.
  [[nodiscard]] static Result<void> check(const std::vector<Note>& notes);
  void stage(std::vector<Note>& notes);
  [[nodiscard]] bool something_staged() const { return !staged_.empty(); }
  [[nodiscard]] std::size_t staged_bytes() const { return staged_bytes_; }
  void write();
  void clear_staged();
  void each(const std::function<void(std::uint32_t number, std::string_view body)>& f);

 private:
  Store& store_;
  std::map<std::uint32_t, std::string> staged_;
  std::size_t staged_bytes_ = 0;
};

}  // namespace checkrelay
