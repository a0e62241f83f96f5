#include "spool/log_tail.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

#include "spool/damaged_file.h"
#include "spool/salvage_rows.h"
#include "spool/sqlite_store.h"

namespace checkrelay {
namespace {

using View = DamagedFile::View;

std::string key_on(const DamagedFile& file, std::uint32_t page, View view) {
  std::string found;
  file.rows(page, view, [&](const StoredRow& row) {
    if (const auto key = hash_key_of(row)) found = *key;
  });
  return found;
}

// A flipped bit or two do not make it another's.
bool differ(std::string_view a, std::string_view b) {
  constexpr int kFew = 24;  // of 128; two keys that have nothing in common differ in some 64
  int bits = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    bits += std::popcount(static_cast<unsigned char>(a[i] ^ b[i]));
  return bits > kFew;
}

bool is_foreign(const DamagedFile& file) {
  for (const auto page : file.pages_in_log()) {
    const auto here = key_on(file, page, View::newest);
    if (here.empty()) continue;
    const auto there = key_on(file, page, View::database);
    return !there.empty() && differ(there, here);
  }
  return false;
}

// A producer that heard of a failure may have handed it in again.
bool is_new(const Framed& r, Seq newest, SqliteStore& store) {
  if (r.header.seq <= newest) return false;
  if (!r.id_given) return true;
  return !store.remember(std::string(r.id), r.header.seq, r.header.received, kSameIdWindow);
}

std::uint64_t start_of(const Framed& r, const LogRow& row, const Batch& batch) {
  return row.start + static_cast<std::uint64_t>(r.frame.data() - batch.begin());
}

void append_record(const Framed& r, LogRow row, std::uint64_t start, SqliteStore& store) {
  row.first = row.last = r.header.seq;
  row.lanes = r.header.lanes;
  row.start = start;
  store.append(row, r.frame);
}

}  // namespace

LogTail look_at_log(const std::string& database) {
  LogTail tail;
  const DamagedFile file(database);
  tail.foreign = is_foreign(file);
  if (tail.foreign) return tail;
  file.rows_behind_damage([&](const StoredRow& row) {
    if (auto notes = notes_of(row)) {
      auto& kept = tail.notes[notes->number];
      if (kept.data.size() < notes->data.size()) kept = std::move(*notes);
      return;
    }
    const auto found = log_of(row);
    if (!found) return;
    auto& kept = tail.rows[found->row.first];
    if (kept.data.size() < found->data.size()) kept = {found->row, std::string(found->data)};
    const Batch batch(found->row.first, found->row.first + found->data.size(), kept.data);
    for (const Framed& r : batch.records()) tail.lanes |= r.header.lanes;
  });
  return tail;
}

TailTaken append_tail(const LogTail& tail, SqliteStore& into) {
  TailTaken taken;
  const auto newest_notes = into.newest_notes();
  for (auto it = tail.notes.upper_bound(newest_notes); it != tail.notes.end(); ++it) {
    into.append_notes(it->second);
    ++taken.notes;
  }
  const auto last = into.log_row_of(~Seq{0} >> 1);
  const Seq newest = last ? last->last : 0;
  Seq at = newest;
  std::uint64_t end = into.appended();  // where the next record begins, if none is missing
  for (const auto& [first, found] : tail.rows) {
    const Batch batch(first, first + found.data.size(), found.data);
    for (const Framed& r : batch.records()) {
      const auto start = start_of(r, found.row, batch);
      if (r.header.seq > newest && start != end)
        taken.missing.push_back({at + 1, r.header.seq - 1});
      at = std::max(at, r.header.seq);
      end = start + r.frame.size();
      if (!is_new(r, newest, into)) continue;
      append_record(r, found.row, start, into);
      ++taken.records;
    }
  }
  return taken;
}

}  // namespace checkrelay
