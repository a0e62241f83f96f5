// Standard input as single results, in the formats of the agent's sockets, which their first byte
// tells.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

// One result as it was written: a line with its end, or a MessagePack map.
struct Item {
  std::size_t number = 0;  // of the line, or of the map; 1-based
  std::string bytes{};
  std::string error{};  // not empty: it is refused here, `bytes` is empty
};

// Takes a byte stream apart. Pure; feed it, then ask until it has no more. Blank lines are no
// items. An item of more than `limit` bytes is refused, and memory stays within about that.
class Feed {
 public:
  explicit Feed(std::size_t limit) : limit_(limit) {}
  void add(std::string_view bytes) { buffer_ += bytes; }
  void finish() { finished_ = true; }
  [[nodiscard]] std::optional<Item> next();
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  enum class Format { unknown, json, commands, text, msgpack, broken };
  void tell_format();
  std::optional<Item> next_line();
  std::optional<Item> next_map();
  Item refuse(std::string what);
  [[nodiscard]] bool fits(std::string_view line) const;
  [[nodiscard]] std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }
  void drop(std::size_t count);

  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;  // what lies before it has been handed out
  std::size_t number_ = 0;
  bool finished_ = false;
  bool skipping_ = false;  // behind a line that was too long, up to its end
  Format format_ = Format::unknown;
};

// Length of the first MessagePack object; 0 where it is not complete, nothing where it is none.
[[nodiscard]] std::optional<std::size_t> msgpack_length(std::string_view bytes);

// `line` is a JSON object: gives it the id and the time that it does not have. Anything else comes
// back as it is.
[[nodiscard]] std::string with_identity(std::string_view line, std::string_view id, Wall time);

// A reply line of the agent.
struct Reply {
  bool ok = false;
  std::string error{};  // where not ok
  bool retry =
      false;  // where not ok: the agent has no room or no disk now; the result itself is good
};
[[nodiscard]] Reply parse_reply(std::string_view line);
// An error as it is without its place: the agent counts the lines of a connection, we those of the
// input.
[[nodiscard]] std::string without_line_number(const std::string& error);

}  // namespace checkrelay
