#include "plugins/dialects/native/msgpack_map.h"

#include <fmt/format.h>

#include <exception>
#include <msgpack.hpp>

#include "agent/base/text.h"
#include "plugins/dialects/native/fields.h"

namespace checkrelay::native {
namespace {

// How an object begins: its header's bytes, the payload behind it, the values inside it.
struct Head {
  std::size_t header = 1;
  std::uint64_t payload = 0;
  std::uint64_t children = 0;
};

enum class HeadKind { plain, sized_payload, sized_list, sized_map, invalid };
struct HeadRow {
  HeadKind kind = HeadKind::plain;
  std::uint8_t width = 0;  // bytes of the size field, or of the plain payload
  std::uint8_t extra = 0;  // bytes of an extension's type
};

// 0xc0 to 0xdf, in order.
constexpr HeadRow kHeads[32] = {
    {},                               // nil
    {HeadKind::invalid, 0, 0},        // never used
    {},                               // false
    {},                               // true
    {HeadKind::sized_payload, 1, 0},  // bin 8
    {HeadKind::sized_payload, 2, 0},  //
    {HeadKind::sized_payload, 4, 0},  //
    {HeadKind::sized_payload, 1, 1},  // ext 8
    {HeadKind::sized_payload, 2, 1},  //
    {HeadKind::sized_payload, 4, 1},  //
    {HeadKind::plain, 4, 0},          // float 32
    {HeadKind::plain, 8, 0},          //
    {HeadKind::plain, 1, 0},          // uint 8
    {HeadKind::plain, 2, 0},          //
    {HeadKind::plain, 4, 0},          //
    {HeadKind::plain, 8, 0},          //
    {HeadKind::plain, 1, 0},          // int 8
    {HeadKind::plain, 2, 0},          //
    {HeadKind::plain, 4, 0},          //
    {HeadKind::plain, 8, 0},          //
    {HeadKind::plain, 1, 1},          // fixext 1
    {HeadKind::plain, 2, 1},          //
    {HeadKind::plain, 4, 1},          //
    {HeadKind::plain, 8, 1},          //
    {HeadKind::plain, 16, 1},         //
    {HeadKind::sized_payload, 1, 0},  // str 8
    {HeadKind::sized_payload, 2, 0},  //
    {HeadKind::sized_payload, 4, 0},  //
    {HeadKind::sized_list, 2, 0},     // array 16
    {HeadKind::sized_list, 4, 0},     //
    {HeadKind::sized_map, 2, 0},      // map 16
    {HeadKind::sized_map, 4, 0},      //
};

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t n = 0;
  for (char c : bytes) n = n << 8U | static_cast<unsigned char>(c);
  return n;
}

Head short_head(unsigned char byte) {
  if (byte >= 0x80 && byte <= 0x8F) return {1, 0, 2U * (byte & 0x0FU)};
  if (byte >= 0x90 && byte <= 0x9F) return {1, 0, byte & 0x0FU};
  if (byte >= 0xA0 && byte <= 0xBF) return {1, byte & 0x1FU, 0};
  return {};
}

Head sized_head(const HeadRow& row, std::string_view bytes) {
  std::uint64_t n = big_endian(bytes.substr(1, row.width));
  Head head{1U + row.width, 0, 0};
  if (row.kind == HeadKind::sized_payload) head.payload = n + row.extra;
  if (row.kind == HeadKind::sized_list) head.children = n;
  if (row.kind == HeadKind::sized_map) head.children = 2 * n;
  return head;
}

// False where more bytes are needed. REQUIRES: `bytes` is not empty and the byte is not 0xc1.
bool read_head(std::string_view bytes, Head& head) {
  auto byte = static_cast<unsigned char>(bytes[0]);
  if (byte < 0xC0 || byte > 0xDF) {
    head = short_head(byte);
    return true;
  }
  const HeadRow& row = kHeads[byte - 0xC0];
  if (row.kind == HeadKind::plain) {
    head = {1, static_cast<std::uint64_t>(row.width) + row.extra, 0};
    return true;
  }
  if (bytes.size() < 1U + row.width) return false;
  head = sized_head(row, bytes);
  return true;
}

Value value_of(const msgpack::object& o) {
  Value v;
  switch (o.type) {
    case msgpack::type::STR:
      v.kind = Value::Kind::text;
      v.text = std::string_view(o.via.str.ptr, o.via.str.size);
      break;
    case msgpack::type::NEGATIVE_INTEGER:
      v.kind = Value::Kind::integer;
      v.integer = o.via.i64;
      break;
    case msgpack::type::POSITIVE_INTEGER: {
      bool fits = o.via.u64 <= static_cast<std::uint64_t>(INT64_MAX);
      v.kind = fits ? Value::Kind::integer : Value::Kind::number;
      v.integer = fits ? static_cast<std::int64_t>(o.via.u64) : 0;
      v.number = static_cast<double>(o.via.u64);
      break;
    }
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      v.kind = Value::Kind::number;
      v.number = o.via.f64;
      break;
    case msgpack::type::BOOLEAN:
      v.kind = Value::Kind::boolean;
      v.boolean = o.via.boolean;
      break;
    case msgpack::type::ARRAY:
      v.kind = Value::Kind::list;
      break;
    case msgpack::type::MAP:
      v.kind = Value::Kind::map;
      break;
    case msgpack::type::NIL:
      v.kind = Value::Kind::null;
      break;
    default:
      v.kind = Value::Kind::other;
  }
  return v;
}

Result<CheckResult> build(const msgpack::object& root, std::size_t& mended) {
  if (root.type != msgpack::type::MAP)
    return fail(Errc::invalid, "not a map: " + to_string(value_of(root)));
  ResultBuilder builder;
  for (std::uint32_t i = 0; i < root.via.map.size; ++i) {
    const msgpack::object_kv& field = root.via.map.ptr[i];
    Value key = value_of(field.key);
    if (key.kind != Value::Kind::text)
      return fail(Errc::invalid, "a key is not a string: " + to_string(key));
    if (auto set = builder.set(key.text, value_of(field.val)); !set)
      return tl::unexpected<Error>(set.error());
  }
  auto result = builder.finish();
  if (result) mended += mend_text(*result);
  return result;
}

bool borrow(msgpack::type::object_type, std::size_t, void*) { return true; }

// Cleared for each map, which keeps its memory: a new one would ask for 8 KiB each time.
msgpack::zone& zone() {
  thread_local msgpack::zone instance;
  instance.clear();
  return instance;
}

}  // namespace

MsgpackBoundary::Found MsgpackBoundary::scan(std::string_view bytes) {
  while (!done_) {
    if (at_ >= bytes.size()) return Found::more;
    if (static_cast<unsigned char>(bytes[at_]) == 0xC1) {
      what_ = "the byte 0xc1 begins no MessagePack value";
      return Found::broken;
    }
    Head head;
    if (!read_head(bytes.substr(at_), head)) return Found::more;
    at_ += head.header;
    if (head.payload + head.children > max_ || at_ + head.payload + head.children > max_)
      return Found::too_long;  // a child is at least a byte
    at_ += head.payload;
    if (Found found = enter(head.children); found != Found::more) return found;
  }
  return at_ <= bytes.size() ? Found::whole : Found::more;
}

MsgpackBoundary::Found MsgpackBoundary::enter(std::uint64_t children) {
  if (children == 0) {
    complete_one();
    return Found::more;
  }
  if (depth_ == kMaxDepth) {
    what_ = "values nested deeper than 16";
    return Found::broken;
  }
  left_[depth_++] = children;
  return Found::more;
}

void MsgpackBoundary::complete_one() {
  while (depth_ > 0 && --left_[depth_ - 1] == 0) --depth_;
  done_ = depth_ == 0;
}

void MsgpackBoundary::reset() {
  at_ = 0;
  depth_ = 0;
  done_ = false;
  what_ = {};
}

Result<CheckResult> decode_msgpack(std::string_view bytes, std::size_t& mended) {
  constexpr std::size_t kMaxEntries = 1024;  // far above what a result has
  try {
    std::size_t offset = 0;
    msgpack::unpack_limit limit(kMaxEntries, kMaxEntries, bytes.size(), bytes.size(), bytes.size(),
                                32);
    msgpack::object root =
        msgpack::unpack(zone(), bytes.data(), bytes.size(), offset, borrow, nullptr, limit);
    return build(root, mended);
  } catch (const std::exception& e) {
    return fail(Errc::invalid, fmt::format("not a MessagePack map: {}", e.what()));
  }
}

}  // namespace checkrelay::native
