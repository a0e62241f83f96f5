#include "agent/policy/admission.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "agent/base/text.h"
#include "agent/policy/random.h"

namespace checkrelay {
namespace {

// The two digits of each byte.
constexpr auto kHex = [] {
  std::array<char, 512> digits{};
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = "0123456789abcdef"[(i % 2 == 0 ? i >> 5U : i >> 1U) & 0xFU];
  return digits;
}();

// Writes the `bytes` highest of `word`, and shifts them out.
char* put_hex(char* at, std::uint64_t& word, int bytes) {
  for (; bytes > 0; --bytes, word <<= 8U, at += 2) std::memcpy(at, &kHex[(word >> 56U) * 2], 2);
  return at;
}

}  // namespace

std::string IdMaker::make(Wall now) {
  auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  std::uint64_t high = (ms << 16) | 0x7000U | (next_random(state_) & 0x0FFFU);
  std::uint64_t low = (next_random(state_) & 0x3FFFFFFFFFFFFFFFU) | 0x8000000000000000U;
  std::string id(36, '-');  // 8-4-4-4-12 (RFC 9562 section 4)
  char* at = put_hex(id.data(), high, 4);
  at = put_hex(at + 1, high, 2);
  at = put_hex(at + 1, high, 2);
  at = put_hex(at + 1, low, 2);
  put_hex(at + 1, low, 6);
  return id;
}

Result<void> Admission::admit(CheckResult& r, bool& id_given, Wall now) {
  std::size_t size = r.output.size() + r.perfdata.size();
  if (size > options_.max_result)
    return fail(Errc::invalid, fmt::format("output: {} bytes, at most {} (limits.max_result): {}",
                                           size, options_.max_result, quoted(r.output)));
  if (r.subject.host.empty()) r.subject.host = options_.default_host;
  mended_ += make_valid_utf8(r.output) + make_valid_utf8(r.perfdata);
  if (auto ok = validate(r); !ok) return ok;
  r.received = now;
  if (r.time == Wall{}) r.time = now;
  id_given = !r.id.empty();
  if (!id_given) r.id = ids_.make(now);
  return {};
}

}  // namespace checkrelay
