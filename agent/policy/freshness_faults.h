// What is wrong with freshness entries, each by itself and between them. Pure; for `check`.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/time.h"
#include "agent/policy/freshness.h"

namespace checkrelay {

struct FreshnessFault {
  std::size_t entry = 0;                    // which one; of two that overlap the later
  std::string what{};                       // "key: what is wrong"
  std::size_t other = Freshness::kNoEntry;  // with which it overlaps
  bool by_time = false;  // it was none once: a schedule that is over. To run with, it does no harm
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
  // Whether some text matches both. Time: the product of the lengths at worst, a few steps where
  // the beginnings or the ends differ.
  [[nodiscard]] bool overlaps(const GlobShape& other) const;
  // The only text that matches, where there is but one.
  [[nodiscard]] const std::optional<std::string>& literal() const { return literal_; }

 private:
  struct Element {
    bool star = false;
    std::bitset<256> takes{};  // bytes; star: none
  };
  [[nodiscard]] static std::size_t element_length(std::string_view rest);
  [[nodiscard]] static Element element(std::string_view text);
  [[nodiscard]] static bool share(std::span<const Element> a, std::span<const Element> b);

  std::string glob_;
  std::optional<std::string> literal_{};
  std::vector<Element> elements_{};  // of what is no literal
};

// Which of many entries cover the same subject. Literal names are looked up; only globs are
// compared with all.
class OverlapIndex {
 public:
  // The first one added before that overlaps this one.
  std::optional<std::size_t> add(std::string_view host, std::string_view service);
  [[nodiscard]] std::size_t compared() const { return compared_; }  // pairs so far

 private:
  struct Shape {
    GlobShape host, service;
  };
  using Places = std::vector<std::size_t>;  // ascending
  using Names = std::unordered_map<std::string, Places>;
  void look_among(const Places& places, std::optional<std::size_t>& found);
  void look_up(const Names& names, const std::string& name, std::optional<std::size_t>& found);
  [[nodiscard]] static std::string pair_of(const Shape& shape);

  std::vector<Shape> shapes_;
  // By what is literal in them.
  Names both_, both_by_host_, both_by_service_, host_, service_;
  Places with_host_, with_service_, all_, neither_;  // host_, service_, everything, the rest
  std::size_t compared_ = 0;
};

}  // namespace checkrelay
