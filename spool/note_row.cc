#include "spool/note_row.h"

#include "agent/port/journal.h"
#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {
namespace {

std::uint32_t checksum_of(std::uint64_t number, std::uint32_t before = 0) {
  ShortBytes<8> bytes;
  put_fixed(bytes, number, 8);
  return crc32c(bytes.view(), before);
}

bool read_payload(std::string_view payload, FramedNote& out) {
  ByteReader in(payload);
  const auto number = in.varint();
  out.number = static_cast<std::uint32_t>(number);
  out.body = in.left();
  return in.ok() && number < kMaxNotes && out.body.size() <= kMaxNoteBytes;
}

}  // namespace

void begin_notes(NoteRow& row) {
  row.data.clear();
  put_fixed(row.data, checksum_of(row.first, checksum_of(row.number)), 4);
}

// The row is not stored with each note but checked: one that moved to another place does not pass.
void append_note(NoteRow& row, std::uint32_t number, std::string_view body) {
  ShortBytes<8> head;
  put_varint(head, number);
  ShortBytes<16> front;
  put_varint(front, head.view().size() + body.size());
  put_fixed(front, crc32c(body, crc32c(head.view(), checksum_of(row.number))), 4);
  row.data.append(front.view()).append(head.view()).append(body);
}

NotesRead read_notes(const NoteRow& row) {
  NotesRead read;
  const auto before = checksum_of(row.number);
  ByteReader in(row.data);
  const auto placed = static_cast<std::uint32_t>(in.fixed(4));
  if (!in.ok()) return read;
  read.placed = placed == checksum_of(row.first, before);
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
