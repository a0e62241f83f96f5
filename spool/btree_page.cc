#include "spool/btree_page.h"

#include <bit>
#include <optional>
#include <unordered_set>

namespace checkrelay {
namespace {

constexpr std::size_t kMaxPayload = 64U << 20;  // of a row of the journal
constexpr std::size_t kMaxValues = 64;          // likewise
constexpr std::uint32_t kMapEntries = kPageBytes / 5;
constexpr std::uint32_t kLockPage = (1U << 30) / kPageBytes + 1;  // section 1.3: never used

enum PageType : std::uint8_t {
  kIndexInterior = 2,
  kTableInterior = 5,
  kIndexLeaf = 10,
  kTableLeaf = 13,
};

// One flipped bit shall not cost a page: no other page's first byte is so near to a leaf's.
std::uint8_t mended(std::uint8_t type) {
  if (type == kIndexInterior || type == kTableInterior) return type;
  for (const std::uint8_t leaf : {kTableLeaf, kIndexLeaf})
    if (std::popcount(static_cast<unsigned>(type ^ leaf)) == 1) return leaf;
  return type;
}

// Big-endian numbers and SQLite's varints, which have their highest bits first.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return left_.size(); }

  std::uint64_t fixed(std::size_t n) {
    std::uint64_t v = 0;
    for (const char c : take(n)) v = v << 8 | static_cast<std::uint8_t>(c);
    return v;
  }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int i = 0; i < 9; ++i) {
      const auto b = fixed(1);
      if (i == 8) return v << 8 | b;
      v = v << 7 | (b & 0x7f);
      if ((b & 0x80) == 0) break;
    }
    return v;
  }
  std::string_view take(std::size_t n) {
    ok_ = ok_ && n <= left_.size();
    return take_some(ok_ ? n : 0);
  }
  std::string_view take_some(std::size_t n) {
    const auto piece = left_.substr(0, n);
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

std::int64_t sign_extended(std::uint64_t v, std::size_t bytes) {
  const auto shift = 64 - 8 * bytes;
  return static_cast<std::int64_t>(v << shift) >> shift;
}

std::optional<StoredValue> read_value(std::uint64_t type, Bytes& in) {
  using Type = StoredValue::Type;
  constexpr std::size_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  if (type == 0) return StoredValue{};
  if (type == 8 || type == 9) return StoredValue{Type::integer, type == 9, {}};
  if (type < 8) {
    const auto v = in.fixed(kSizes[type]);
    if (!in.ok()) return std::nullopt;
    if (type == 7) return StoredValue{Type::other, 0, {}};
    return StoredValue{Type::integer, sign_extended(v, kSizes[type]), {}};
  }
  if (type < 12) return std::nullopt;
  const auto size = (type - 12) / 2;
  if (size > kMaxPayload) return std::nullopt;
  return StoredValue{type % 2 == 0 ? Type::blob : Type::text, 0, in.take_some(size)};
}

bool read_record(std::string_view payload, StoredRow& row) {
  Bytes in(payload);
  const auto head_size = in.varint();
  const auto before = payload.size() - in.left();
  if (!in.ok() || head_size < before || head_size > payload.size()) return false;
  Bytes head(in.take(head_size - before));
  while (head.left() > 0) {
    const auto type = head.varint();
    const auto value = head.ok() ? read_value(type, in) : std::nullopt;
    if (!value || row.values.size() == kMaxValues) return false;
    row.values.push_back(*value);
  }
  return true;
}

std::size_t local_size(std::uint64_t payload, bool table) {
  constexpr std::uint64_t kLeast = (kPageBytes - 12) * 32 / 255 - 23;
  const std::uint64_t most = table ? kPageBytes - 35 : (kPageBytes - 12) * 64 / 255 - 23;
  if (payload <= most) return payload;
  const auto some = kLeast + (payload - kLeast) % (kPageBytes - 4);
  return some <= most ? some : kLeast;
}

// An overflow page belongs to one cell: what comes by a second time is damage, and may be a circle.
class Overflow {
 public:
  explicit Overflow(const PageFetch& fetch) : fetch_(fetch) {}
  std::string page(std::uint32_t number) {
    return number != 0 && seen_.insert(number).second ? fetch_(number) : std::string();
  }

 private:
  const PageFetch& fetch_;
  std::unordered_set<std::uint32_t> seen_;
};

// What is on the page, then what of the overflow can be had.
std::string gather(Bytes& in, std::uint64_t size, bool table, Overflow& pages) {
  const auto local = local_size(size, table);
  std::string payload(in.take(local));
  if (!in.ok() || local == size) return payload;
  auto next = static_cast<std::uint32_t>(in.fixed(4));
  while (in.ok() && payload.size() < size) {
    const std::string page = pages.page(next);
    if (page.size() != kPageBytes) break;
    Bytes overflow(page);
    next = static_cast<std::uint32_t>(overflow.fixed(4));
    payload += overflow.take_some(size - payload.size());
  }
  return payload;
}

void read_cell(std::string_view cell, std::uint8_t type, Overflow& pages,
               const std::function<void(const StoredRow&)>& give) {
  Bytes in(cell);
  StoredRow row;
  if (type == kIndexInterior) (void)in.fixed(4);  // a child
  const auto size = in.varint();
  row.has_rowid = type == kTableLeaf;
  if (row.has_rowid) row.rowid = static_cast<std::int64_t>(in.varint());
  if (!in.ok() || size > kMaxPayload) return;
  const auto payload = gather(in, size, type == kTableLeaf, pages);
  if (read_record(payload, row)) give(row);
}

}  // namespace

void read_rows(std::string_view page, std::uint32_t number, const PageFetch& fetch,
               const std::function<void(const StoredRow&)>& row) {
  if (page.size() != kPageBytes) return;
  const std::size_t at = number == 1 ? 100 : 0;  // the first page begins with the file's header
  Bytes head(page.substr(at));
  const auto type = mended(static_cast<std::uint8_t>(head.fixed(1)));
  if (type != kTableLeaf && type != kIndexLeaf && type != kIndexInterior) return;
  (void)head.fixed(2);
  const auto cells = head.fixed(2);
  (void)head.fixed(type == kIndexInterior ? 7 : 3);
  Overflow pages(fetch);
  for (std::uint64_t i = 0; i < cells; ++i) {
    const auto offset = head.fixed(2);
    if (!head.ok()) return;
    if (offset < page.size()) read_cell(page.substr(offset), type, pages, row);
  }
}

std::uint32_t pointer_map_of(std::uint32_t number) {
  if (number < 2) return 0;
  const auto map = (number - 2) / (kMapEntries + 1) * (kMapEntries + 1) + 2;
  return map == kLockPage ? map + 1 : map;
}

bool says_free(std::string_view map, std::uint32_t number) {
  constexpr char kFree = 2;
  const auto first = pointer_map_of(number);
  if (number <= first) return false;
  const std::size_t at = std::size_t{5} * (number - first - 1);
  return at < map.size() && map[at] == kFree;
}

}  // namespace checkrelay
