// How far text goes on being of one kind, for hot paths.
#pragma once

#include <cstddef>
#include <string_view>

namespace checkrelay {

// Blocks of a fixed size become vector instructions.
template <std::size_t size, typename Fits>
[[nodiscard]] bool block_fits(const char* block, Fits fits) {
  unsigned char misfits = 0;
  for (std::size_t i = 0; i < size; ++i)
    misfits |= static_cast<unsigned char>(!fits(static_cast<unsigned char>(block[i])));
  return misfits == 0;
}

// The first place from `at` on whose byte does not fit, or the end. `fits` takes an unsigned char;
// a lambda, since it must be inlined. REQUIRES: at <= text.size().
template <typename Fits>
[[nodiscard]] std::size_t end_of_run(std::string_view text, std::size_t at, Fits fits) {
  const char* begin = text.data();
  const std::size_t end = text.size();
  while (end - at >= 32 && block_fits<32>(begin + at, fits)) at += 32;
  if (end - at >= 16 && block_fits<16>(begin + at, fits)) at += 16;
  // The rest, together with what is in front of it.
  if (end - at < 16 && end >= 16 && block_fits<16>(begin + end - 16, fits)) return end;
  while (at < end && fits(static_cast<unsigned char>(begin[at]))) ++at;
  return at;
}

}  // namespace checkrelay
