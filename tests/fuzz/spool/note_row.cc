// A row of notes whose checksums fit may hold anything, and what is written is read.
#include "spool/note_row.h"

#include "agent/port/journal.h"
#include "spool/bytes.h"
#include "spool/crc32c.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

namespace {

std::string checksum(std::string_view payload, std::uint64_t number) {
  std::string bytes;
  put_fixed(bytes, number, 8);
  const auto sum = crc32c(payload, crc32c(bytes));
  bytes.clear();
  put_fixed(bytes, sum, 4);
  return bytes;
}

void read_with_fitting_checksum(NoteRow row, std::string_view payload) {
  begin_notes(row);
  put_varint(row.data, payload.size());
  row.data += checksum(payload, row.number);
  row.data += payload;
  const NotesRead read = read_notes(row);
  require(read.placed && read.notes.size() + read.damaged == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  NoteRow row;
  row.number = 1 + fuzz::pick(input, 256);
  row.first = fuzz::pick(input, 256);
  read_with_fitting_checksum(row, input);
  row.data = input;
  for (const FramedNote& note : read_notes(row).notes)
    require(note.number < kMaxNotes && note.body.size() <= kMaxNoteBytes && note.bytes <= size);
  begin_notes(row);
  std::vector<std::pair<std::uint32_t, std::string_view>> notes;
  while (!input.empty()) {
    const std::uint32_t number = fuzz::pick(input, 256) * (kMaxNotes / 256);
    notes.emplace_back(number, fuzz::take_text(input).substr(0, kMaxNoteBytes));
    append_note(row, number, notes.back().second);
  }
  const NotesRead read = read_notes(row);
  require(read.placed && read.damaged == 0 && read.notes.size() == notes.size());
  for (std::size_t i = 0; i < notes.size(); ++i)
    require(read.notes[i].number == notes[i].first && read.notes[i].body == notes[i].second);
  return 0;
}
