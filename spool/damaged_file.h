// The pages of a database that may be damaged, with those of its write-ahead log; nothing is
// changed. Layout of the log: "Database File Format" of the SQLite documentation, section 4. Each
// frame of the log is proved by its own checksum and the one before it, so that those behind a
// damaged one count as well. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "spool/btree_page.h"

namespace checkrelay {

class DamagedFile {
 public:
  explicit DamagedFile(const std::string& path);  // of the database; its log is beside it
  ~DamagedFile();
  DamagedFile(const DamagedFile&) = delete;
  DamagedFile& operator=(const DamagedFile&) = delete;

  // newest: what the log holds of a page counts. database: the log does not exist.
  enum class View { newest, database };
  [[nodiscard]] std::uint32_t pages() const { return pages_; }  // of the database alone
  [[nodiscard]] std::vector<std::uint32_t> pages_in_log() const;
  [[nodiscard]] std::uint64_t bytes_in_use() const;  // of pages that are not free, and the log
  [[nodiscard]] std::string page(std::uint32_t number, View view) const;  // "" = unreadable
  [[nodiscard]] bool is_free(std::uint32_t number, View view) const;
  void rows(std::uint32_t number, View view,
            const std::function<void(const StoredRow&)>& row) const;
  // The rows of every version of every page that the log holds, in the order of writing; or of
  // those alone that SQLite does not read, because something before them is damaged, as far as they
  // were committed.
  void rows_of_log(const std::function<void(const StoredRow&)>& row) const { rows_from(0, row); }
  void rows_behind_damage(const std::function<void(const StoredRow&)>& row) const {
    rows_from(behind_, row);
  }

 private:
  struct Frame {
    std::uint32_t page = 0;
    std::uint64_t offset = 0;  // of the page, in the log
  };
  void read_log();
  void rows_from(std::size_t frame, const std::function<void(const StoredRow&)>& row) const;
  [[nodiscard]] std::string read(int fd, std::uint64_t offset, std::size_t bytes) const;

  int database_ = -1, log_ = -1;
  std::uint32_t pages_ = 0;
  std::vector<Frame> frames_;
  std::size_t behind_ = 0;  // of frames_: the first one behind the damage
  std::unordered_map<std::uint32_t, std::uint64_t> newest_;  // page -> offset in the log
  mutable std::uint32_t map_number_ = 0;                     // the pointer map that was asked last
  mutable View map_view_ = View::newest;
  mutable std::string map_;
};

}  // namespace checkrelay
