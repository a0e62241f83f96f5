#include "agent/policy/admission.h"

#include <fmt/format.h>

#include <array>

#include "agent/base/text.h"
#include "agent/policy/random.h"

namespace checkrelay {
namespace {

// Where in the text the two digits of each byte stand (RFC 9562 section 4).
constexpr std::array<std::uint8_t, 16> kPlaceOf{0,  2,  4,  6,  9,  11, 14, 16,
                                                19, 21, 24, 26, 28, 30, 32, 34};
constexpr std::string_view kBlank = "........-....-....-....-............";

}  // namespace

std::string IdMaker::make(Wall now) {
  auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  std::uint64_t high = (ms << 16) | 0x7000U | (next_random(state_) & 0x0FFFU);
  std::uint64_t low = (next_random(state_) & 0x3FFFFFFFFFFFFFFFU) | 0x8000000000000000U;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id(kBlank);
  for (std::size_t i = 0; i < kPlaceOf.size(); ++i) {
    const std::uint64_t word = i < 8 ? high : low;
    const auto byte = static_cast<unsigned>(word >> (8 * (7 - i % 8))) & 0xFFU;
    id[kPlaceOf[i]] = kHex[byte >> 4U];
    id[kPlaceOf[i] + 1U] = kHex[byte & 0xFU];
  }
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
