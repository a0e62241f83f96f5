#include "agent/policy/subject_table.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace checkrelay {
namespace {

std::uint32_t hash_of(std::string_view host, std::string_view service) {
  const std::hash<std::string_view> hash;
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  const std::uint64_t both = (std::uint64_t{hash(host)} * kOdd) ^ std::uint64_t{hash(service)};
  const auto folded = static_cast<std::uint32_t>((both * kOdd) >> 32);
  return folded == 0 ? 1 : folded;
}

}  // namespace

void SubjectTable::reserve(std::size_t count) {
  const std::size_t cells = std::bit_ceil(count + count / 2);
  if (cells > cells_.size()) grow(cells);
}

std::string_view SubjectTable::host(Id id) const {
  return {names_[id].bytes.get(), names_[id].host};
}

std::string_view SubjectTable::service(Id id) const {
  return {names_[id].bytes.get() + names_[id].host, names_[id].service};
}

Subject SubjectTable::subject(Id id) const {
  return {std::string(host(id)), std::string(service(id))};
}

std::optional<SubjectTable::Id> SubjectTable::find(std::string_view host_name,
                                                   std::string_view service_name) const {
  const std::uint32_t hash = hash_of(host_name, service_name);
  for (std::size_t at = hash & mask(); cells_[at].hash != 0; at = (at + 1) & mask()) {
    const Id id = cells_[at].id;
    if (cells_[at].hash == hash && host(id) == host_name && service(id) == service_name) return id;
  }
  return std::nullopt;
}

void SubjectTable::put(Cell cell) {
  std::size_t at = cell.hash & mask();
  while (cells_[at].hash != 0) at = (at + 1) & mask();
  cells_[at] = cell;
}

void SubjectTable::grow(std::size_t count) {
  std::vector<Cell> old(count);
  old.swap(cells_);
  for (const Cell& cell : old)
    if (cell.hash != 0) put(cell);
}

void SubjectTable::write(Id id, std::string_view host_name, std::string_view service_name) {
  if ((size_ + 1) * 4 > cells_.size() * 3) grow(cells_.size() * 2);
  Name name{std::make_unique<char[]>(host_name.size() + service_name.size() + 1),
            static_cast<std::uint8_t>(host_name.size()),
            static_cast<std::uint8_t>(service_name.size())};
  std::copy(host_name.begin(), host_name.end(), name.bytes.get());
  std::copy(service_name.begin(), service_name.end(), name.bytes.get() + host_name.size());
  names_[id] = std::move(name);
  put({hash_of(host_name, service_name), id});
  ++size_;
}

SubjectTable::Id SubjectTable::insert(std::string_view host_name, std::string_view service_name) {
  while (!free_.empty() && holds(free_.back())) free_.pop_back();  // taken by insert_at()
  Id id = end();
  if (free_.empty()) {
    names_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  write(id, host_name, service_name);
  return id;
}

void SubjectTable::insert_at(Id id, std::string_view host_name, std::string_view service_name) {
  while (end() < id) {
    free_.push_back(end());
    names_.emplace_back();
  }
  if (end() == id) names_.emplace_back();
  write(id, host_name, service_name);
}

std::size_t SubjectTable::place_of(Id id) const {
  std::size_t at = hash_of(host(id), service(id)) & mask();
  while (cells_[at].id != id || cells_[at].hash == 0) at = (at + 1) & mask();
  return at;
}

// What lies behind the hole moves into it unless it would come before its own place.
void SubjectTable::erase(Id id) {
  std::size_t hole = place_of(id);
  for (std::size_t at = (hole + 1) & mask(); cells_[at].hash != 0; at = (at + 1) & mask()) {
    const std::size_t home = cells_[at].hash & mask();
    if (((at - home) & mask()) < ((at - hole) & mask())) continue;
    cells_[hole] = cells_[at];
    hole = at;
  }
  cells_[hole] = {};
  names_[id] = {};
  free_.push_back(id);
  --size_;
}

std::size_t SubjectTable::bytes() const {
  constexpr std::size_t kHeap = 16;  // what malloc adds and rounds up, about
  std::size_t sum = cells_.capacity() * sizeof(Cell) + names_.size() * sizeof(Name);
  for (const Name& name : names_)
    if (name.bytes) sum += std::size_t{name.host} + name.service + kHeap;
  return sum + free_.capacity() * sizeof(Id);
}

}  // namespace checkrelay
