// What to look at when: a binary heap of 8 bytes an entry. Entries are never taken out early; who
// pops one asks whether it still counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/policy/expectation.h"

namespace checkrelay {

class WakeHeap {
 public:
  struct Wake {
    Second at = 0;
    std::uint32_t key = 0;
  };
  void push(Wake wake) {
    heap_.push_back(wake);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] const Wake& top() const { return heap_.front(); }  // REQUIRES: not empty
  Wake pop() {                                                     // REQUIRES: not empty
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Wake wake = heap_.back();
    heap_.pop_back();
    return wake;
  }
  template <typename Counts>
  void keep(Counts counts) {
    std::erase_if(heap_, [&](const Wake& wake) { return !counts(wake); });
    std::make_heap(heap_.begin(), heap_.end(), later);
  }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] std::size_t bytes() const { return heap_.capacity() * sizeof(Wake); }

 private:
  static bool later(const Wake& a, const Wake& b) { return a.at > b.at; }
  std::vector<Wake> heap_;
};

}  // namespace checkrelay
