// Variable-length integers as FORMAT.md has them: seven bits a byte, lowest first, the top bit says
// that more follow.
#pragma once

#include <endian.h>

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace checkrelay {

// A few bytes on the stack; anything with push_back() may be written to.
template <std::size_t kMost>
class ShortBytes {
 public:
  void push_back(char c) { bytes_[size_++] = c; }  // REQUIRES: room is left
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kMost> bytes_;
  std::size_t size_ = 0;
};

template <typename Out>
void put_varint(Out& out, std::uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out.push_back(static_cast<char>(v));
}

// Signed numbers travel as 0, -1, 1, -2, 2 … so that small ones stay short.
template <typename Out>
void put_signed(Out& out, std::int64_t v) {
  put_varint(out, (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
}

template <typename Out>
void put_fixed(Out& out, std::uint64_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(v >> (8 * i)));
}

// Reads what the functions above wrote. After a fault `ok()` is false and everything reads as zero
// or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::string_view left() const { return left_; }

  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto b = static_cast<std::uint8_t>(byte());
      if (!ok_) return 0;
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if ((b & 0x80) == 0) return v;
    }
    ok_ = false;
    return 0;
  }
  std::int64_t signed_varint() {
    const auto v = varint();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }
  std::uint64_t fixed(std::size_t size) {  // at most 8
    std::uint64_t v = 0;
    assert(size <= sizeof v);
    bytes(size).copy(reinterpret_cast<char*>(&v), size);
    return le64toh(v);
  }
  std::string_view bytes(std::uint64_t n) {
    if (n > left_.size()) ok_ = false;
    if (!ok_) return {};
    auto piece = left_.substr(0, static_cast<std::size_t>(n));
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::uint8_t byte() {
    if (left_.empty()) ok_ = false;
    if (!ok_) return 0;
    const auto b = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return b;
  }
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace checkrelay
