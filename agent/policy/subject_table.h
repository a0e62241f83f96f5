// Subjects by number: small numbers, given out again once freed. Besides the names themselves it
// costs about 50 bytes a subject. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/model/check_result.h"

namespace checkrelay {

class SubjectTable {
 public:
  using Id = std::uint32_t;

  void reserve(std::size_t count);
  [[nodiscard]] std::optional<Id> find(std::string_view host, std::string_view service) const;
  // REQUIRES: not there yet; names of at most kMaxName bytes.
  Id insert(std::string_view host, std::string_view service);
  void insert_at(Id id, std::string_view host, std::string_view service);  // REQUIRES: id is free
  void erase(Id id);                                                       // REQUIRES: there

  [[nodiscard]] bool holds(Id id) const { return id < names_.size() && names_[id].bytes; }
  // Until the subject is erased.
  [[nodiscard]] std::string_view host(Id id) const;
  [[nodiscard]] std::string_view service(Id id) const;
  [[nodiscard]] Subject subject(Id id) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Id end() const { return static_cast<Id>(names_.size()); }  // all ids are below
  [[nodiscard]] std::size_t bytes() const;  // of memory, names included

 private:
  struct Name {
    std::unique_ptr<char[]> bytes{};  // host, then service; null = free
    std::uint8_t host = 0, service = 0;
  };
  // An open table with linear probing; a free cell has hash 0.
  struct Cell {
    std::uint32_t hash = 0;
    Id id = 0;
  };
  [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
  [[nodiscard]] std::size_t place_of(Id id) const;
  void put(Cell cell);
  void grow(std::size_t cells);
  void write(Id id, std::string_view host, std::string_view service);

  std::deque<Name> names_;
  std::vector<Id> free_;
  std::vector<Cell> cells_ = std::vector<Cell>(16);  // a power of two
  std::size_t size_ = 0;
};

}  // namespace checkrelay
