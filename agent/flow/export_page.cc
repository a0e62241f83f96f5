#include "agent/flow/export_page.h"

#include <fmt/format.h>

#include <optional>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kWord = 8;  // bytes of a number, lowest first

void put(std::string& out, std::uint64_t v) {
  for (std::size_t i = 0; i < kWord; ++i) out += static_cast<char>(v >> (8 * i));
}

std::optional<std::uint64_t> take(std::string_view& in) {
  if (in.size() < kWord) return std::nullopt;
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < kWord; ++i)
    v |= static_cast<std::uint64_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  in.remove_prefix(kWord);
  return v;
}

tl::unexpected<Error> broken() {
  return fail(Errc::invalid, "the agent's page of results cannot be read");
}

}  // namespace

std::string encode_export(const BrowsePage& page) {
  std::string out;
  put(out, page.more ? page.next : 0);
  Seq last = 0;
  for (const Browsed& row : page.rows) {
    if (row.seq == std::exchange(last, row.seq)) continue;
    put(out, row.seq);
    put(out, row.body.size());
    out += row.body;
  }
  return out;
}

Result<ExportPage> decode_export(std::string_view bytes) {
  ExportPage page;
  auto next = take(bytes);
  if (!next) return broken();
  page.next = *next;
  page.more = *next != 0;
  while (!bytes.empty()) {
    auto seq = take(bytes);
    auto size = take(bytes);
    if (!seq || !size || *size > bytes.size()) return broken();
    page.parcels.push_back({*seq, std::string(bytes.substr(0, *size))});
    bytes.remove_prefix(*size);
  }
  return page;
}

Result<std::vector<Seq>> parse_seqs(std::string_view lines) {
  std::vector<Seq> seqs;
  for (std::string_view line : split(lines, '\n')) {
    if (trimmed(line).empty()) continue;
    const std::size_t dash = line.find('-');
    auto first = parse_integer(trimmed(line.substr(0, dash)), 1, INT64_MAX);
    auto last =
        dash == line.npos ? first : parse_integer(trimmed(line.substr(dash + 1)), 1, INT64_MAX);
    if (!first || !last || *last < *first)
      return fail(Errc::invalid, quoted(line) + " is no number and no range of numbers");
    if (static_cast<std::size_t>(*last - *first) >= kMaxSeqs - seqs.size())
      return fail(Errc::invalid, fmt::format("more than {} numbers at once", kMaxSeqs));
    for (long long k = 0; k <= *last - *first; ++k) seqs.push_back(static_cast<Seq>(*first + k));
  }
  return seqs;
}

}  // namespace checkrelay
