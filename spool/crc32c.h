// CRC-32C (Castagnoli; RFC 3720 appendix B.4 has the test vectors). Uses the processor's
// instruction where there is one.
#pragma once

#include <cstdint>
#include <string_view>

namespace checkrelay {

// Continues from `before`, the value of what came first; 0 to begin.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);
[[nodiscard]] std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before = 0);

}  // namespace checkrelay
