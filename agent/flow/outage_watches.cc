#include "agent/flow/outage_watches.h"

#include <algorithm>
#include <utility>

#include "agent/flow/option_files.h"

namespace checkrelay {
namespace {

std::string seconds_of(Wall t) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch() /
                        std::chrono::seconds(1));
}

}  // namespace

OutageWatches::OutageWatches(const Registry& registry, Loop& loop, const Environment& env)
    : registry_(registry), loop_(loop), env_(env), store_(env) {}

OutageWatches::Watches::iterator OutageWatches::standing(const OutagesConfig& wanted) {
  return std::find_if(watches_.begin(), watches_.end(), [&](const auto& w) {
    return w && w->config() == wanted && !reads_files(wanted.options);
  });
}

Result<OutageWatches::Fresh> OutageWatches::prepare(const std::vector<OutagesConfig>& wanted) {
  Fresh fresh;
  for (const OutagesConfig& o : wanted) {
    fresh.emplace_back();
    if (standing(o) != watches_.end()) continue;
    auto built = OutageWatch::build(o, registry_, loop_, {books_, store_, env_});
    if (!built) return tl::unexpected(built.error());
    fresh.back() = std::move(*built);
  }
  return fresh;
}

void OutageWatches::take(Fresh fresh, const std::vector<OutagesConfig>& wanted) {
  std::vector<std::string> names;
  for (const OutagesConfig& o : wanted) names.push_back(o.name);
  auto is_wanted = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  store_.retain(names);
  std::vector<OutageWatch*> begin;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (fresh[i]) {
      begin.push_back(fresh[i].get());
    } else {
      fresh[i] = std::move(*standing(wanted[i]));
    }
  }
  watches_.swap(fresh);
  for (OutageWatch* w : begin) w->begin();
  for (const auto& old : fresh)
    if (old && !is_wanted(old->config().name)) books_.remove(old->config().name);
}

void OutageWatches::tick(Instant now) {
  for (auto& w : watches_) w->tick(now);
}

std::optional<Steady> OutageWatches::deadline() const {
  std::optional<Steady> earliest;
  for (const auto& w : watches_)
    if (auto due = w->deadline(); due && (!earliest || *due < *earliest)) earliest = due;
  return earliest;
}

void OutageWatches::stop() {
  for (auto& w : watches_) w->stop();
}

OutageWatch* OutageWatches::find(const std::string& name) {
  for (auto& w : watches_)
    if (w->config().name == name) return w.get();
  return nullptr;
}

std::vector<KnownOutage> OutageWatches::known(Wall now) const {
  std::vector<KnownOutage> known;
  for (const auto& [name, book] : books_.all()) {
    for (const PlannedOutage& o : book->all()) {
      KnownOutage& k = known.emplace_back();
      k.outage = o;
      k.current = book->window_at(o, now).has_value();
      if (auto once = book->once(o)) {
        k.outage.start = seconds_of(once->start);
        k.outage.end = seconds_of(once->end);
      }
    }
  }
  return known;
}

std::vector<OutagesStatus> OutageWatches::status(Wall now) const {
  std::vector<OutagesStatus> out;
  for (const auto& w : watches_) out.push_back(w->status(now));
  return out;
}

}  // namespace checkrelay
