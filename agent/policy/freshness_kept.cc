#include "agent/policy/freshness_kept.h"

#include <algorithm>
#include <cstdint>

namespace checkrelay {
namespace {

constexpr std::uint8_t kVersion = 1;
// A note has its limit (port/journal.h); groups beyond are told again after a restart.
constexpr std::size_t kMostGroups = 240;
constexpr std::uint8_t kReported = 1, kByTtl = 2;

template <typename Integer>
void put(std::string& out, Integer value) {
  const auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    out += static_cast<char>((bits >> (8 * i)) & 0xff);
}

void put_text(std::string& out, std::string_view text) {
  const std::string_view kept = text.substr(0, kMaxName);
  put(out, static_cast<std::uint8_t>(kept.size()));
  out += kept;
}

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}
  template <typename Integer>
  Integer take() {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(Integer) && i < rest_.size(); ++i)
      bits |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    skip(sizeof(Integer));
    return static_cast<Integer>(bits);
  }
  std::string text() {
    const auto size = take<std::uint8_t>();
    std::string out(rest_.substr(0, size));
    skip(size);
    return out;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool whole() const { return good_ && rest_.empty(); }

 private:
  void skip(std::size_t count) {
    good_ = good_ && rest_.size() >= count;
    rest_.remove_prefix(std::min(rest_.size(), count));
  }
  std::string_view rest_;
  bool good_ = true;
};

template <typename Kept, typename Read>
Result<Kept> decode(std::string_view bytes, Read read) {
  Cursor in(bytes);
  const auto version = in.take<std::uint8_t>();
  if (in.good() && version > kVersion)
    return fail(Errc::unsupported, "freshness of version " + std::to_string(version));
  Kept kept;
  read(in, kept);
  if (!in.whole() || version != kVersion)
    return fail(Errc::corrupt, "freshness is not as it was written");
  return kept;
}

}  // namespace

std::string encode_subject(const FreshnessRecord& record) {
  const Standing& s = record.standing;
  std::string out;
  put(out, kVersion);
  put(out, static_cast<std::uint8_t>((s.reported ? kReported : 0) | (s.by_ttl ? kByTtl : 0)));
  for (const Second second : {s.seen, s.base, s.heard, s.due, s.told, s.run}) put(out, second);
  put_text(out, record.subject.host);
  put_text(out, record.subject.service);
  put(out, static_cast<std::uint8_t>(record.runs.size()));
  for (const FreshnessRun& run : record.runs) {
    put(out, run.began);
    put_text(out, run.id);
  }
  return out;
}

Result<FreshnessRecord> decode_subject(std::string_view bytes) {
  return decode<FreshnessRecord>(bytes, [](Cursor& in, FreshnessRecord& record) {
    Standing& s = record.standing;
    const auto flags = in.take<std::uint8_t>();
    s.reported = (flags & kReported) != 0;
    s.by_ttl = (flags & kByTtl) != 0;
    for (Second* second : {&s.seen, &s.base, &s.heard, &s.due, &s.told, &s.run})
      *second = in.take<Second>();
    record.subject.host = in.text();
    record.subject.service = in.text();
    for (auto left = in.take<std::uint8_t>(); left > 0 && in.good(); --left) {
      FreshnessRun& run = record.runs.emplace_back();
      run.began = in.take<Second>();
      run.id = in.text();
    }
  });
}

std::string encode_site(const KeptSite& site) {
  std::string out;
  put(out, kVersion);
  put(out, std::int64_t{site.shift.count()});
  put(out, site.last);
  const std::size_t count = std::min(site.groups.size(), kMostGroups);
  put(out, static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    put_text(out, site.groups[i].name);
    put(out, site.groups[i].told);
  }
  return out;
}

Result<KeptSite> decode_site(std::string_view bytes) {
  return decode<KeptSite>(bytes, [](Cursor& in, KeptSite& site) {
    site.shift = Duration(in.take<std::int64_t>());
    site.last = in.take<Second>();
    for (auto left = in.take<std::uint16_t>(); left > 0 && in.good(); --left) {
      GroupRecord& group = site.groups.emplace_back();
      group.name = in.text();
      group.told = in.take<Second>();
    }
  });
}

}  // namespace checkrelay
