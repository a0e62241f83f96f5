#include "plugins/dialects/native/body.h"

#include <fmt/format.h>

#include <utility>

#include "agent/base/text.h"
#include "plugins/dialects/native/json_line.h"

namespace checkrelay::native {
namespace {

bool has_room(Batch& batch, std::size_t number) {
  if (batch.slots.size() < kMaxElements) return true;
  batch.refuse(number, fmt::format("more than {} at once: the rest was not read", kMaxElements));
  return false;
}

void take_pieces(std::string text, std::size_t max_result, Batch& batch) {
  Splitter splitter(max_result);
  splitter.feed(std::move(text));
  Piece piece;
  while (splitter.next(piece)) {
    if (!has_room(batch, piece.number)) return;
    batch.take(piece);
  }
  if (splitter.last(piece)) batch.take(piece);
}

void take_value(std::string_view value, std::size_t number, std::size_t max_result, Batch& batch) {
  if (value.size() <= max_result) return batch.take(Format::json, value, number);
  batch.refuse(number,
               fmt::format("longer than {}: {}", format_size(max_result), quoted(value, 40)), true);
}

void take_list(std::string_view text, std::size_t max_result, Batch& batch) {
  batch.unit = "element";
  std::size_t count = 0;
  auto split = split_json_list(text, [&](std::string_view element, std::size_t number) {
    count = number;
    if (!has_room(batch, number)) return false;
    take_value(element, number, max_result, batch);
    return true;
  });
  if (!split) batch.refuse(count + 1, split.error().what);
}

}  // namespace

void take_text(std::string text, std::size_t max_result, Batch& batch) {
  std::string_view seen = trimmed(text);
  if (!seen.empty() && seen.front() == '{' && is_one_json_value(seen))
    return take_value(seen, 1, max_result, batch);
  take_pieces(std::move(text), max_result, batch);
}

void take_body(std::string body, bool msgpack, std::size_t max_result, Batch& batch) {
  std::string_view seen = trimmed(body);
  if (seen.empty()) return;
  if (!msgpack && seen.front() == '[') return take_list(seen, max_result, batch);
  if (!msgpack && seen.front() == '{') return take_text(std::string(seen), max_result, batch);
  if (format_of(body.front()) == Format::msgpack)
    return take_pieces(std::move(body), max_result, batch);
  batch.refuse(1, "neither JSON nor MessagePack maps: " + quoted(seen));
}

}  // namespace checkrelay::native
