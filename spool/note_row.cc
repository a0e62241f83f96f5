#include "spool/note_row.h"

#include "agent/port/journal.h"
#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {
namespace {

// The row is not stored with each note but checked: one that moved to another place does not pass.
std::uint32_t checksum_of(const NoteRow& row) {
  ShortBytes<16> place;
  put_fixed(place, row.number, 8);
  put_fixed(place, row.first, 8);
  return crc32c(place.view());
}

bool read_payload(std::string_view payload, FramedNote& out) {
  ByteReader in(payload);
  const auto number = in.varint();
  out.number = static_cast<std::uint32_t>(number);
  out.body = in.left();
  return in.ok() && number < kMaxNotes && out.body.size() <= kMaxNoteBytes;
}

}  // namespace

void append_note(NoteRow& row, std::uint32_t number, std::string_view body) {
  ShortBytes<8> head;
  put_varint(head, number);
  ShortBytes<16> front;
  put_varint(front, head.view().size() + body.size());
  put_fixed(front, crc32c(body, crc32c(head.view(), checksum_of(row))), 4);
  row.data.append(front.view()).append(head.view()).append(body);
}

NotesRead read_notes(const NoteRow& row) {
  NotesRead read;
  const auto before = checksum_of(row);
  ByteReader in(row.data);
  while (!in.left().empty()) {
    const auto left = in.left().size();
    const auto size = in.varint();
    const auto sum = static_cast<std::uint32_t>(in.fixed(4));
    const auto payload = in.bytes(size);
    FramedNote note;
    const bool intact = in.ok() && crc32c(payload, before) == sum && read_payload(payload, note);
    note.bytes = left - in.left().size();
    if (intact) {
      read.notes.push_back(note);
    } else {
      ++read.damaged;
    }
    if (!in.ok()) break;
  }
  return read;
}

}  // namespace checkrelay
