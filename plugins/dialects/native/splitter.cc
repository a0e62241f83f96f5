#include "plugins/dialects/native/splitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "agent/base/text.h"
#include "plugins/dialects/native/json_line.h"
#include "plugins/dialects/native/text_line.h"

namespace checkrelay::native {

Format format_of(char first) {
  auto byte = static_cast<unsigned char>(first);
  if (byte == '{') return Format::json;
  if (byte == '[') return Format::command;
  if ((byte >= 0x80 && byte <= 0x8F) || byte == 0xDE || byte == 0xDF) return Format::msgpack;
  return Format::nsca;
}

std::string_view unit_of(Format format) { return format == Format::msgpack ? "element" : "line"; }

Result<CheckResult> decode(Format format, std::string_view piece, std::size_t& mended) {
  switch (format) {
    case Format::json:
      return decode_json(piece, mended);
    case Format::command:
      return decode_command(piece, mended);
    case Format::msgpack:
      return decode_msgpack(piece, mended);
    case Format::nsca:
      break;
  }
  return decode_nsca(piece, mended);
}

Splitter::Splitter(std::size_t max_piece, Judge judge)
    : max_(max_piece), judge_(judge), boundary_(max_piece) {}

void Splitter::feed(std::string chunk) {
  if (ended_) return;
  if (begin_ == buffer_.size()) {
    buffer_ = std::move(chunk);
    begin_ = scanned_ = 0;
    return;
  }
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  buffer_ += chunk;
}

std::string_view Splitter::rest() const { return std::string_view(buffer_).substr(begin_); }

void Splitter::consume(std::size_t n) {
  begin_ += n;
  scanned_ = begin_;
}

void Splitter::forget() {
  buffer_ = {};
  begin_ = scanned_ = 0;
}

// Passes over blank lines in front. False where nothing else is there yet.
bool Splitter::know_format() {
  if (format_) return true;
  while (partial() && (buffer_[begin_] == '\n' || buffer_[begin_] == '\r')) {
    if (buffer_[begin_] == '\n') ++count_;
    consume(1);
  }
  if (!partial()) return false;
  if (judge_ == Judge::each_line) {
    format_ = Format::json;  // of no consequence but for newlines being what separates
    return true;
  }
  format_ = format_of(buffer_[begin_]);
  if (*format_ == Format::msgpack) count_ = 0;
  return true;
}

bool Splitter::next(Piece& piece) {
  if (ended_ || !know_format()) return false;
  bool found = *format_ == Format::msgpack ? next_object(piece) : next_line(piece);
  if (!found && !partial()) forget();
  return found;
}

std::size_t Splitter::line_end() const {
  const char* from = buffer_.data() + scanned_;
  const char* end = buffer_.data() + buffer_.size();
  if (*format_ == Format::nsca) {
    const char* at = std::find_if(from, end, [](char c) { return c == '\n' || c == kSetEnd; });
    return at == end ? std::string::npos : static_cast<std::size_t>(at - buffer_.data());
  }
  const void* at = std::memchr(from, '\n', static_cast<std::size_t>(end - from));
  return at == nullptr ? std::string::npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - buffer_.data());
}

bool Splitter::next_line(Piece& piece) {
  while (partial()) {
    std::size_t end = line_end();
    if (end == std::string::npos) return half_line(piece);
    std::string_view line = rest().substr(0, end - begin_);
    consume(line.size() + 1);
    ++count_;
    if (std::exchange(passed_, 0) > 0) continue;  // the rest of one that was refused
    if (take_line(line, piece)) return true;
  }
  return false;
}

// No end in sight: it waits for its rest, unless it is too long already.
bool Splitter::half_line(Piece& piece) {
  scanned_ = buffer_.size();
  std::size_t seen = rest().size();
  bool first = passed_ == 0;
  if (first && seen <= max_) return false;
  if (first) {
    too_long(rest(), piece);
    ++piece.number;
  }
  passed_ += seen;
  consume(seen);
  return first;
}

bool Splitter::take_line(std::string_view line, Piece& piece) {
  if (line.size() > max_) {
    too_long(line, piece);
    return true;
  }
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) return false;
  Format format = judge_ == Judge::each_line ? format_of(line[0]) : *format_;
  piece = {Piece::Kind::whole, format, count_, line, {}};
  return true;
}

void Splitter::too_long(std::string_view seen, Piece& piece) const {
  piece = {Piece::Kind::too_long, *format_, count_, {}, {}};
  piece.what = fmt::format("longer than {}: {}", format_size(max_), quoted(seen.substr(0, 40)));
}

bool Splitter::next_object(Piece& piece) {
  if (!partial()) return false;
  if (format_of(rest().front()) != Format::msgpack) return no_map(piece);
  MsgpackBoundary::Found found = boundary_.scan(rest());
  if (found == MsgpackBoundary::Found::more) return false;
  ++count_;
  if (found == MsgpackBoundary::Found::whole) {
    piece = {Piece::Kind::whole, Format::msgpack, count_, rest().substr(0, boundary_.size()), {}};
    consume(boundary_.size());
    boundary_.reset();
    return true;
  }
  if (found == MsgpackBoundary::Found::too_long)
    too_long(rest(), piece);
  else
    piece = {Piece::Kind::broken, Format::msgpack, count_, {}, std::string(boundary_.what())};
  ended_ = true;
  return true;
}

// Where a map must begin, nothing else leaves a way on: each byte of garbage could pass for a
// value.
bool Splitter::no_map(Piece& piece) {
  piece = {Piece::Kind::broken, Format::msgpack, ++count_, {}, {}};
  piece.what = "no map begins here: " + quoted(rest().substr(0, 16));
  ended_ = true;
  return true;
}

bool Splitter::last(Piece& piece) {
  if (ended_ || !partial() || !know_format()) return false;
  ++count_;
  std::string_view line = rest();
  consume(line.size());
  if (passed_ > 0) return false;
  if (*format_ != Format::msgpack) return take_line(line, piece);
  piece = {Piece::Kind::broken, Format::msgpack, count_, {}, "the input ends within a map"};
  return true;
}

}  // namespace checkrelay::native
