#include "plugins/dialects/groundwork/batches.h"

#include <unordered_set>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay::groundwork {

Batches::Batches(const Settings& settings, std::span<const CheckResult> results,
                 std::vector<Verdict>& settled)
    : settings_(settings), items_(results.size()) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Subject& subject = results[i].subject;
    if (auto reason = unaddressable(subject)) {
      settled.push_back({i, Judgement::rejected, std::move(*reason), std::nullopt, true});
      continue;
    }
    items_[i] = {encode_item(results[i], settings.format, settings.identity), entity_of(subject),
                 subject.is_host()};
  }
  cut(true);  // a host before its services, which may need it
  cut(false);
}

void Batches::cut(bool hosts) {
  // An item goes to the first batch that has room and no namesake of it.
  std::vector<Indices> open;
  std::vector<std::unordered_set<std::string>> names;
  std::vector<std::size_t> bytes;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.encoded.empty() || item.host != hosts) continue;
    std::string name = entity_key(item.entity);
    const std::size_t size = item.encoded.size() + 1;
    std::size_t b = 0;
    while (b < open.size() && (bytes[b] + size > settings_.batch_bytes || names[b].contains(name)))
      ++b;
    if (b == open.size()) {
      open.emplace_back();
      names.emplace_back();
      bytes.push_back(kBatchFrame);
    }
    open[b].push_back(i);
    names[b].insert(std::move(name));
    bytes[b] += size;
  }
  for (Indices& indices : open) queue_.push_back(std::move(indices));
}

bool Batches::next() {
  if (queue_.empty()) return false;
  current_ = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

std::string Batches::body() const {
  std::vector<std::string_view> encoded;
  encoded.reserve(current_.size());
  for (std::size_t i : current_) encoded.push_back(items_[i].encoded);
  return encode_batch(encoded, hosts(), settings_.format);
}

std::vector<std::string> Batches::entities() const {
  std::vector<std::string> names;
  names.reserve(current_.size());
  for (std::size_t i : current_) names.push_back(items_[i].entity);
  return names;
}

void Batches::again() { queue_.push_front(std::exchange(current_, {})); }

void Batches::halve() { push_halves(std::exchange(current_, {})); }

void Batches::at_the_end() { queue_.push_back(std::exchange(current_, {})); }

void Batches::requeue(const std::vector<std::size_t>& places) {
  Indices left;
  for (std::size_t place : places) left.push_back(current_[place]);
  current_.clear();
  push_halves(left);
}

void Batches::push_halves(const Indices& indices) {
  const auto middle = indices.begin() + static_cast<std::ptrdiff_t>((indices.size() + 1) / 2);
  if (middle != indices.end()) queue_.emplace_front(middle, indices.end());
  queue_.emplace_front(indices.begin(), middle);
}

std::vector<std::size_t> Batches::drain() {
  Indices all = std::exchange(current_, {});
  for (const Indices& indices : queue_) all.insert(all.end(), indices.begin(), indices.end());
  queue_.clear();
  return all;
}

}  // namespace checkrelay::groundwork
