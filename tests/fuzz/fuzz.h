// What fuzz targets share. What does not hold ends the process, which the fuzzer reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace checkrelay::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds) {
  if (!holds) std::abort();
}

// Takes a number below `below` (at most 256) off the input; zero where nothing is left.
inline unsigned pick(std::string_view& input, unsigned below) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte % below;
}

// Takes what lies before the next NUL off the input, and the NUL.
inline std::string_view take_text(std::string_view& input) {
  const std::string_view text = input.substr(0, input.find('\0'));
  input.remove_prefix(text.size() < input.size() ? text.size() + 1 : text.size());
  return text;
}

}  // namespace checkrelay::fuzz
