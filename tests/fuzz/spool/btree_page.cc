// A page of a damaged database: whatever is on it, and on those that its rows go on at, rows stay
// within what was read, and what a row is taken for holds together. The first byte is the page's
// number; the rest is pages, the last one filled up with zeros.
#include "spool/btree_page.h"

#include <algorithm>

#include "spool/salvage_rows.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

namespace {

std::string page_of(std::string_view input, std::uint32_t number) {
  const std::size_t at = (number - std::size_t{1}) * kPageBytes;
  if (number == 0 || at >= input.size()) return {};
  std::string page(input.substr(at, kPageBytes));
  page.resize(kPageBytes, '\0');
  return page;
}

void check(const StoredRow& row, std::size_t most) {
  std::size_t bytes = 0;
  unsigned sum = 0;
  for (const StoredValue& value : row.values) {
    bytes += value.bytes.size();
    for (const char c : value.bytes) sum += static_cast<unsigned char>(c);  // may be read
  }
  require(bytes <= most && sum <= 255 * bytes);
  if (const auto found = log_of(row)) {
    const Batch batch(found->row.first, found->row.first + 8, std::string(found->data));
    for (const Framed& r : batch.records()) require(r.header.seq >= found->row.first);
  }
  if (const auto found = aside_of(row)) require(found->lane < kMaxLanes);
  if (const auto found = lane_of(row)) require(found->lane < kMaxLanes);
  if (const auto found = done_of(row)) require(found->chunk.bits.size() == 512);
  if (const auto found = lane_name_of(row)) require(found->lane < kMaxLanes);
  if (const auto found = trail_of(row)) require(!found->data.empty());
  (void)id_of(row);
  (void)hash_key_of(row);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::uint32_t number = 1 + fuzz::pick(input, 4);
  std::size_t fetched = 0, rows = 0;
  const auto fetch = [&](std::uint32_t n) {
    ++fetched;
    return page_of(input, n);
  };
  const std::size_t pages = input.size() / kPageBytes + 1;
  read_rows(page_of(input, 1), number, fetch, [&](const StoredRow& row) {
    ++rows;
    check(row, (pages + 1) * kPageBytes);
  });
  require(rows <= kPageBytes / 2 && fetched <= pages + kPageBytes / 2);
  for (std::uint32_t n = 0; n < 8; ++n) (void)says_free(input, number * 800 + n);
  return 0;
}
