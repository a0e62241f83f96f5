// Notes as bytes: a row holds some of one commit's, each number once. FORMAT.md has the layout.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace checkrelay {

struct NoteRow {
  std::uint64_t number = 0;  // from 1, each one more than the last
  std::uint64_t first = 0;   // the rows before this one are gone; at most `number`
  std::string data{};
};

// A note read back; the view points into the row's data.
struct FramedNote {
  std::uint32_t number = 0;
  std::string_view body{};  // empty = forgotten
  std::size_t bytes = 0;    // of its frame
};

// What a frame takes beside the body, at most.
constexpr std::size_t kNoteFrameBytes = 16;

// REQUIRES: the row's number and first are set.
void begin_notes(NoteRow& row);
void append_note(NoteRow& row, std::uint32_t number, std::string_view body);

struct NotesRead {
  std::vector<FramedNote> notes{};
  std::size_t damaged = 0;  // notes; behind one without an end nothing is found
  bool placed = false;      // `first` is right
};
[[nodiscard]] NotesRead read_notes(const NoteRow& row);

}  // namespace checkrelay
