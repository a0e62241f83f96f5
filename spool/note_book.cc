#include "spool/note_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace checkrelay {
namespace {

constexpr std::uint64_t kPace = 3;              // bytes cleaned for one that is appended
constexpr std::uint64_t kIdleBytes = 1U << 20;  // cleaned in a step when nothing else is to be done

}  // namespace

Result<void> NoteBook::check(const std::vector<Note>& notes) {
  for (const Note& n : notes) {
    if (n.number >= kMaxNotes)
      return fail(Errc::invalid,
                  fmt::format("note {}: the number is not below {}", n.number, kMaxNotes));
    if (n.body.size() > kMaxNoteBytes)
      return fail(Errc::invalid, fmt::format("note {}: {} bytes, at most {} are taken", n.number,
                                             n.body.size(), kMaxNoteBytes));
  }
  return {};
}

// The newest row says where the log begins; where rows are missing since, it is not to be believed,
// for what was appended again may have been in them.
void NoteBook::restore() {
  log_ = NoteLog(log_.limits());
  draft_ = {};
  doubt_ = false;
  oldest_bytes_ = 0;
  std::uint64_t damaged = 0, missing = 0, whole_since = 0, begins = 0;
  store_.scan_notes([&](const NoteRow& row) {
    const auto read = read_notes(row);
    if (row.number != log_.last() + 1) {
      missing += log_.last() == 0 ? 0 : row.number - log_.last() - 1;
      whole_since = row.number;
    }
    damaged += read.damaged;
    begins = read.placed ? row.first : 0;
    log_.add(row, read.notes);
  });
  if (begins > log_.first() && begins >= whole_since) {
    log_.begin_with(begins);
    missing = 0;
  }
  if (begins != 0 && begins < log_.first()) missing += log_.first() - begins;
  if (damaged + missing == 0) return;
  reports_.push_back(
      fmt::format("{} notes are damaged and {} rows of them are missing: of what they were about, "
                  "what was noted before counts, where there is anything",
                  damaged, missing));
}

void NoteBook::stage(std::vector<Note>& notes) {
  for (Note& n : notes) {
    staged_bytes_ += n.body.size() + kNoteFrameBytes;
    staged_[n.number] = std::move(n.body);
  }
}

void NoteBook::clear_staged() {
  staged_.clear();
  staged_bytes_ = 0;
}

void NoteBook::grant() { credit_ = std::max({credit_, kIdleBytes, oldest_bytes_}); }

void NoteBook::look_back() {
  if (!doubt_) return;
  const auto newest = store_.newest_notes();
  if (store_.failed()) return;
  if (newest >= draft_.rows.back().number) apply();
  draft_ = {};
  doubt_ = false;
}

void NoteBook::write() {
  if (doubt_) return;  // the store has failed again
  draft_ = {};
  if (!log_.excess()) {
    credit_ = 0;
  } else {
    for (const auto& [number, body] : staged_) credit_ += kPace * (body.size() + kNoteFrameBytes);
    take_old();
  }
  if (staged_.empty() && draft_.old.empty()) return;
  begin_row();
  for (const auto& [number, body] : staged_) put(number, body);
  for (const NoteRow& row : draft_.old) keep_newest(row);
  if (!draft_.old.empty()) store_.erase_notes(draft_.old.back().number);
  for (const NoteRow& row : draft_.rows) store_.append_notes(row);
}

// The oldest rows, as far as the credit goes; not the newest, which has the numbering.
void NoteBook::take_old() {
  std::uint64_t at = 0;
  while (log_.excess(draft_.weight) && oldest_bytes_ <= credit_) {
    auto row = store_.notes_after(at);
    if (!row || row->number >= log_.last()) return;
    oldest_bytes_ = NoteLog::weight_of(*row);
    if (oldest_bytes_ > credit_) return;
    credit_ -= std::exchange(oldest_bytes_, 0);
    draft_.weight += NoteLog::weight_of(*row);
    at = row->number;
    draft_.old.push_back(std::move(*row));
  }
}

void NoteBook::keep_newest(const NoteRow& row) {
  for (const FramedNote& n : read_notes(row).notes)
    if (log_.is_newest(n.number, row.number) && staged_.count(n.number) == 0) put(n.number, n.body);
}

void NoteBook::begin_row() {
  NoteRow row;
  row.number = draft_.rows.empty() ? log_.last() + 1 : draft_.rows.back().number + 1;
  row.first = log_.first() > 0 ? log_.first() : log_.last() + 1;
  if (!draft_.old.empty()) row.first = std::max(row.first, draft_.old.back().number + 1);
  begin_notes(row);
  draft_.rows.push_back(std::move(row));
}

void NoteBook::put(std::uint32_t number, std::string_view body) {
  const auto size = draft_.rows.back().data.size() + body.size() + kNoteFrameBytes;
  if (size > log_.limits().row_bytes) begin_row();
  append_note(draft_.rows.back(), number, body);
}

void NoteBook::apply() {
  for (const NoteRow& row : draft_.rows) log_.add(row, read_notes(row).notes);
  if (draft_.old.empty()) return;
  std::size_t lost = 0;
  for (const NoteRow& row : draft_.old)
    if (read_notes(row).damaged > 0) lost += log_.give_up(row.number);
  log_.erase_upto(draft_.old.back().number, draft_.weight);
  if (lost > 0) reports_.push_back(fmt::format("{} notes were lost to damage", lost));
}

void NoteBook::committed() {
  apply();
  draft_ = {};
  clear_staged();
}

void NoteBook::failed() {
  doubt_ = doubt_ || !draft_.rows.empty();
  clear_staged();
}

void NoteBook::each(const std::function<void(std::uint32_t, std::string_view)>& f) {
  store_.scan_notes([&](const NoteRow& row) {
    for (const FramedNote& n : read_notes(row).notes)
      if (log_.is_newest(n.number, row.number) && !n.body.empty()) f(n.number, n.body);
  });
}

}  // namespace checkrelay
