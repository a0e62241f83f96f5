// Cuts a byte stream into pieces, a result each: lines, or MessagePack objects. However the bytes
// arrive, the pieces are the same; time is linear and memory bounded by the chunk plus one piece.
// The first byte (blank lines aside) tells the format. Source of the table: "Stream and datagram
// sockets" of the public interface.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/check_result.h"
#include "plugins/dialects/native/msgpack_map.h"

namespace checkrelay::native {

enum class Format { json, command, msgpack, nsca };
[[nodiscard]] Format format_of(char first);
// "line", or "element" where there are no lines.
[[nodiscard]] std::string_view unit_of(Format format);
// One piece -> one result. `mended` grows by the number of replaced UTF-8 sequences.
[[nodiscard]] Result<CheckResult> decode(Format format, std::string_view piece,
                                         std::size_t& mended);

struct Piece {
  enum class Kind {
    whole,
    too_long,  // longer than allowed; a line's rest is passed over, a MessagePack stream ends here
    broken,    // MessagePack: no boundary is left; lines: the input ended within (see last())
  };
  Kind kind = Kind::whole;
  Format format = Format::nsca;
  std::size_t number = 0;    // 1-based line or element
  std::string_view bytes{};  // valid until the next call
  std::string what{};        // where not whole
};

class Splitter {
 public:
  enum class Judge {
    first_byte,
    each_line
  };  // each_line: mixed writers; MessagePack then has no place
  explicit Splitter(std::size_t max_piece, Judge judge = Judge::first_byte);

  void feed(std::string chunk);
  [[nodiscard]] bool next(Piece& piece);
  // After the end of the input and the last next(): a line without its newline, or half an object.
  [[nodiscard]] bool last(Piece& piece);
  void forget();  // what waits for its rest

  [[nodiscard]] bool ended() const { return ended_; }  // no boundary is left: next() yields no more
  [[nodiscard]] bool partial() const {
    return begin_ < buffer_.size();
  }  // something waits for its rest
  [[nodiscard]] std::size_t passed_over() const {
    return passed_;
  }  // bytes of the overlong line so far; 0 = none
  [[nodiscard]] std::size_t upcoming() const { return count_ + 1; }  // number of what comes next
  [[nodiscard]] Format format() const { return format_.value_or(Format::nsca); }

 private:
  [[nodiscard]] std::string_view rest() const;
  void consume(std::size_t n);
  [[nodiscard]] bool know_format();
  [[nodiscard]] std::size_t line_end() const;
  [[nodiscard]] bool next_line(Piece& piece);
  [[nodiscard]] bool half_line(Piece& piece);
  [[nodiscard]] bool take_line(std::string_view line, Piece& piece);
  void too_long(std::string_view seen, Piece& piece) const;
  [[nodiscard]] bool next_object(Piece& piece);
  [[nodiscard]] bool no_map(Piece& piece);

  std::size_t max_;
  Judge judge_;
  std::optional<Format> format_{};
  std::string buffer_{};
  std::size_t begin_ = 0;    // of the piece that is not complete yet
  std::size_t scanned_ = 0;  // no separator before this
  std::size_t count_ = 0;
  std::size_t passed_ = 0;
  bool ended_ = false;
  MsgpackBoundary boundary_;
};

}  // namespace checkrelay::native
