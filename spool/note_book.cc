#include "spool/note_book.h"

#include <fmt/format.h>

#include <utility>

namespace checkrelay {

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

void NoteBook::write() {
  if (staged_.empty()) return;
  NoteRow row;
  row.number = store_.newest_notes() + 1;
  row.first = 1;
  for (const auto& [number, body] : staged_) append_note(row, number, body);
  store_.append_notes(row);
}

void NoteBook::each(const std::function<void(std::uint32_t, std::string_view)>& f) {
  std::map<std::uint32_t, std::string> newest;
  std::uint64_t at = 0;
  while (auto row = store_.notes_after(at)) {
    at = row->number;
    for (const FramedNote& n : read_notes(*row).notes) newest[n.number] = n.body;
  }
  for (const auto& [number, body] : newest)
    if (!body.empty()) f(number, body);
}

}  // namespace checkrelay
