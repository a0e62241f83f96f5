#include "agent/policy/freshness_faults.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

// A host's own check is a service without a name, which "*" takes as well.
struct Shape {
  GlobShape host, service;
};

void check_promise(const FreshnessEntry& entry, std::size_t i, Wall now,
                   std::vector<FreshnessFault>& faults) {
  if (auto checked = check(entry.promise, now); !checked)
    faults.push_back({i, checked.error().what});
}

void check_expect(const FreshnessEntry& entry, std::size_t i, std::vector<FreshnessFault>& faults) {
  for (const std::string& service : entry.expect) {
    const bool covered =
        entry.service.empty() ? service.empty() : glob_match(entry.service, service);
    if (!covered)
      faults.push_back({i, "expect: " + quoted(service) + " is not covered by service " +
                               quoted(entry.service)});
  }
}

void check_overlap(const std::vector<FreshnessEntry>& entries, std::size_t i,
                   const std::vector<Shape>& shapes, std::vector<FreshnessFault>& faults) {
  for (std::size_t j = 0; j < i; ++j) {
    if (!shapes[j].host.overlaps(shapes[i].host)) continue;
    if (!shapes[j].service.overlaps(shapes[i].service)) continue;
    faults.push_back({i,
                      "host: " + quoted(entries[i].host) + " with service " +
                          quoted(entries[i].service) + " covers subjects of entry " +
                          std::to_string(j + 1) + " too",
                      j});
    return;
  }
}

}  // namespace

std::size_t GlobShape::element_length(std::string_view rest) {
  if (rest.front() == '\\') return std::min<std::size_t>(rest.size(), 2);
  if (rest.front() != '[') return 1;
  const std::size_t negation = rest.size() > 1 && (rest[1] == '!' || rest[1] == '^') ? 1 : 0;
  std::size_t i = 1 + negation;
  for (bool first = true; i < rest.size() && (first || rest[i] != ']'); first = false, ++i)
    if (i + 2 < rest.size() && rest[i + 1] == '-' && rest[i + 2] != ']') i += 2;
  return i < rest.size() ? i + 1 : 1;
}

GlobShape::GlobShape(std::string_view glob) {
  while (!glob.empty()) {
    const std::string_view text = glob.substr(0, element_length(glob));
    glob.remove_prefix(text.size());
    Element element;
    element.star = text == "*";
    for (int byte = 0; byte < 256 && !element.star; ++byte) {
      const char c = static_cast<char>(byte);
      element.takes.push_back(glob_match(text, {&c, 1}));
    }
    elements_.push_back(std::move(element));
  }
}

// reach[j]: whether the elements from i on and the other's from j on can match one text.
bool GlobShape::overlaps(const GlobShape& other) const {
  const std::vector<Element>&a = elements_, &b = other.elements_;
  std::vector<bool> below(b.size() + 1), reach(b.size() + 1);
  below[b.size()] = true;
  for (std::size_t j = b.size(); j > 0 && b[j - 1].star; --j) below[j - 1] = true;
  for (std::size_t i = a.size(); i-- > 0;) {
    reach[b.size()] = a[i].star && below[b.size()];
    for (std::size_t j = b.size(); j-- > 0;) {
      if (a[i].star || b[j].star) {
        reach[j] = below[j] || reach[j + 1];  // a star ends, or takes what stands opposite
        continue;
      }
      bool common = false;
      for (std::size_t c = 0; c < 256 && !common; ++c) common = a[i].takes[c] && b[j].takes[c];
      reach[j] = common && below[j + 1];
    }
    below.swap(reach);
  }
  return below[0];
}

std::vector<FreshnessFault> find_faults(const std::vector<FreshnessEntry>& entries, Wall now) {
  std::vector<FreshnessFault> faults;
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    check_promise(entries[i], i, now, faults);
    check_expect(entries[i], i, faults);
    shapes.push_back({GlobShape(entries[i].host), GlobShape(entries[i].service)});
    check_overlap(entries, i, shapes, faults);
  }
  return faults;
}

}  // namespace checkrelay
