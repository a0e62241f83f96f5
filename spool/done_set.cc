#include "spool/done_set.h"

#include <algorithm>

#include "spool/bytes.h"

namespace checkrelay {
namespace {

std::uint64_t bit_of(Seq seq) { return std::uint64_t{1} << (seq % 64); }
std::size_t word_of(Seq seq) { return seq % DoneSet::kChunk / 64; }

}  // namespace

DoneSet::DoneSet(const std::vector<DoneChunk>& stored) {
  for (const DoneChunk& chunk : stored) {
    if (chunk.bits.size() != kChunk / 8) continue;
    ByteReader in(chunk.bits);
    for (std::uint64_t& word : chunks_[chunk.number]) word = in.fixed(8);
  }
}

bool DoneSet::has(Seq seq) const {
  if (chunks_.empty()) return false;
  auto it = chunks_.find(seq / kChunk);
  return it != chunks_.end() && (it->second[word_of(seq)] & bit_of(seq)) != 0;
}

void DoneSet::set(Seq seq) {
  chunks_[seq / kChunk][word_of(seq)] |= bit_of(seq);
  changed_.insert(seq / kChunk);
}

void DoneSet::set(Seq first, Seq last) {
  for (Seq seq = first; seq <= last; ++seq) set(seq);
}

void DoneSet::forget_upto(Seq cursor) {
  const std::uint64_t first = (cursor + 1) / kChunk;  // that may still be asked for
  while (!chunks_.empty() && chunks_.begin()->first < first) {
    changed_.insert(chunks_.begin()->first);
    chunks_.erase(chunks_.begin());
  }
}

void DoneSet::mark_all_changed() {
  for (const auto& [number, bits] : chunks_) changed_.insert(number);
}

std::vector<DoneChunk> DoneSet::changes() const {
  std::vector<DoneChunk> all;
  for (std::uint64_t number : changed_) {
    DoneChunk& out = all.emplace_back();
    out.number = number;
    auto it = chunks_.find(number);
    if (it == chunks_.end()) continue;
    for (std::uint64_t word : it->second) put_fixed(out.bits, word, 8);
  }
  return all;
}

}  // namespace checkrelay
