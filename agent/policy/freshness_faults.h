// What is wrong with freshness entries, each by itself and between them. Pure; for `check`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/time.h"
#include "agent/policy/freshness.h"

namespace checkrelay {

struct FreshnessFault {
  std::size_t entry = 0;                    // which one; of two that overlap the later
  std::string what{};                       // "key: what is wrong"
  std::size_t other = Freshness::kNoEntry;  // with which it overlaps
  bool operator==(const FreshnessFault&) const = default;
};
// A promise that cannot be kept; expected services that the entry does not cover; two entries that
// cover the same subject (the pair is named once, with the other's number counted from 1).
[[nodiscard]] std::vector<FreshnessFault> find_faults(const std::vector<FreshnessEntry>& entries,
                                                      Wall now);

// A glob (glob_match) made ready to be compared.
class GlobShape {
 public:
  explicit GlobShape(std::string_view glob);
  // Whether some text matches both. Time: the product of the lengths.
  [[nodiscard]] bool overlaps(const GlobShape& other) const;

 private:
  struct Element {
    bool star = false;
    std::vector<bool> takes{};  // of 256 bytes; star: empty
  };
  [[nodiscard]] static std::size_t element_length(std::string_view rest);
  std::vector<Element> elements_;
};

}  // namespace checkrelay
