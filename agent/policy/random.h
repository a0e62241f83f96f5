// A small seeded generator (SplitMix64, Steele, Lea, Flood 2014): for jitter and ids, never for
// secrets.
#pragma once

#include <cstdint>

namespace checkrelay {

inline std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}
// In [0, 1).
inline double next_fraction(std::uint64_t& state) {
  return static_cast<double>(next_random(state) >> 11) * 0x1p-53;
}

}  // namespace checkrelay
