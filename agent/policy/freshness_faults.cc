#include "agent/policy/freshness_faults.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

void check_promise(const FreshnessEntry& entry, std::size_t i, Wall now,
                   std::vector<FreshnessFault>& faults) {
  auto checked = check(entry.promise, now);
  if (checked) return;
  auto ever = check(entry.promise, Wall{});
  FreshnessFault& fault = faults.emplace_back();
  fault.entry = i;
  fault.what = ever ? checked.error().what : ever.error().what;
  fault.by_time = ever.has_value();
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

void check_overlap(const std::vector<FreshnessEntry>& entries, std::size_t i, OverlapIndex& index,
                   std::vector<FreshnessFault>& faults) {
  const auto other = index.add(entries[i].host, entries[i].service);
  if (!other) return;
  faults.push_back({i,
                    "host: " + quoted(entries[i].host) + " with service " +
                        quoted(entries[i].service) + " covers subjects of entry " +
                        std::to_string(*other + 1) + " too",
                    *other});
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

GlobShape::Element GlobShape::element(std::string_view text) {
  Element out;
  out.star = text == "*";
  const bool plain = text.size() == 1 && std::string_view("*?[\\").find(text[0]) == text.npos;
  if (plain) {
    out.takes.set(static_cast<unsigned char>(text[0]));
    return out;
  }
  for (int byte = 0; byte < 256 && !out.star; ++byte) {
    const char c = static_cast<char>(byte);
    if (glob_match(text, {&c, 1})) out.takes.set(static_cast<std::size_t>(byte));
  }
  return out;
}

GlobShape::GlobShape(std::string_view glob) : glob_(glob), literal_(std::in_place) {
  if (glob.find_first_of("*?[\\") == glob.npos) {
    literal_ = glob;
    return;
  }
  while (!glob.empty()) {
    const std::string_view text = glob.substr(0, element_length(glob));
    glob.remove_prefix(text.size());
    Element next = element(text);
    if (next.takes.count() != 1) literal_.reset();
    for (std::size_t byte = 0; literal_ && byte < 256; ++byte)
      if (next.takes[byte]) literal_->push_back(static_cast<char>(byte));
    elements_.push_back(std::move(next));
  }
}

// What stands before the first star of both and behind their last is compared one by one.
bool GlobShape::overlaps(const GlobShape& other) const {
  if (literal_ && other.literal_) return *literal_ == *other.literal_;
  if (literal_) return glob_match(other.glob_, *literal_);
  if (other.literal_) return glob_match(glob_, *other.literal_);
  std::span<const Element> a = elements_, b = other.elements_;
  while (!a.empty() && !b.empty() && !a.front().star && !b.front().star) {
    if ((a.front().takes & b.front().takes).none()) return false;
    a = a.subspan(1);
    b = b.subspan(1);
  }
  while (!a.empty() && !b.empty() && !a.back().star && !b.back().star) {
    if ((a.back().takes & b.back().takes).none()) return false;
    a = a.first(a.size() - 1);
    b = b.first(b.size() - 1);
  }
  return share(a, b);
}

// reach[j]: whether one text can match the elements before i and those of b before j.
bool GlobShape::share(std::span<const Element> a, std::span<const Element> b) {
  std::vector<char> above(b.size() + 1), reach(b.size() + 1);
  above[0] = 1;
  for (std::size_t j = 0; j < b.size() && b[j].star; ++j) above[j + 1] = 1;
  for (const Element& x : a) {
    reach[0] = x.star && above[0];
    bool any = reach[0] != 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (x.star || b[j].star) {
        reach[j + 1] = above[j + 1] || reach[j];  // a star ends, or takes what stands opposite
      } else {
        reach[j + 1] = above[j] && (x.takes & b[j].takes).any();
      }
      any = any || reach[j + 1] != 0;
    }
    if (!any) return false;
    above.swap(reach);
  }
  return above[b.size()] != 0;
}

void OverlapIndex::look_among(const Places& places, std::optional<std::size_t>& found) {
  const Shape& own = shapes_.back();
  for (const std::size_t j : places) {
    if (found && *found <= j) return;
    ++compared_;
    if (!shapes_[j].host.overlaps(own.host) || !shapes_[j].service.overlaps(own.service)) continue;
    found = j;
    return;
  }
}

void OverlapIndex::look_up(const Names& names, const std::string& name,
                           std::optional<std::size_t>& found) {
  if (auto places = names.find(name); places != names.end()) look_among(places->second, found);
}

// Names hold no NUL byte that would make two pairs one; were it so, they are compared anyway.
std::string OverlapIndex::pair_of(const Shape& shape) {
  return *shape.host.literal() + '\0' + *shape.service.literal();
}

std::optional<std::size_t> OverlapIndex::add(std::string_view host, std::string_view service) {
  const std::size_t place = shapes_.size();
  shapes_.push_back({GlobShape(host), GlobShape(service)});
  const auto &h = shapes_.back().host.literal(), &s = shapes_.back().service.literal();
  std::optional<std::size_t> found;
  if (!h && !s) look_among(all_, found);
  if (h || s) look_among(neither_, found);
  if (h && s) look_up(both_, pair_of(shapes_.back()), found);
  if (h && !s) look_up(both_by_host_, *h, found);
  if (s && !h) look_up(both_by_service_, *s, found);
  if (h) look_up(host_, *h, found);
  if (h && !s) look_among(with_service_, found);
  if (s) look_up(service_, *s, found);
  if (s && !h) look_among(with_host_, found);

  all_.push_back(place);
  if (!h && !s) neither_.push_back(place);
  if (h && s) both_[pair_of(shapes_.back())].push_back(place);
  if (h && s) both_by_host_[*h].push_back(place);
  if (h && s) both_by_service_[*s].push_back(place);
  if (h && !s) host_[*h].push_back(place);
  if (h && !s) with_host_.push_back(place);
  if (s && !h) service_[*s].push_back(place);
  if (s && !h) with_service_.push_back(place);
  return found;
}

std::vector<FreshnessFault> find_faults(const std::vector<FreshnessEntry>& entries, Wall now) {
  std::vector<FreshnessFault> faults;
  OverlapIndex index;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    check_promise(entries[i], i, now, faults);
    check_expect(entries[i], i, faults);
    check_overlap(entries, i, index, faults);
  }
  return faults;
}

}  // namespace checkrelay
