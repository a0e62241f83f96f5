// Which slot of the desk is which destination's.
#include <fmt/format.h>

#include <algorithm>

#include "spool/desk.h"
#include "spool/lane_row.h"

namespace checkrelay {

// Nothing waits in the slot, and nothing that is about to be committed is meant for it.
bool Desk::retired(LaneId id) const {
  const Slot& slot = *slots_[id];
  LaneStats stats;
  slot.lane.fill(stats);
  if (slot.lane.rebuilding() || stats.pending + stats.in_flight + stats.dead > 0) return false;
  return std::none_of(staged_.begin(), staged_.end(),
                      [id](const OpenBatch& b) { return (b.row.lanes >> id & 1) != 0; });
}

// A slot for a name that has none: an unused one, or else one that is retired, or else one whose
// name was lost; not one of `taken`.
std::optional<LaneId> Desk::spare_slot(LaneMask taken) const {
  std::optional<LaneId> retiree, orphan;
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    if ((taken >> i & 1) != 0) continue;
    if (!slots_[i]) return i;
    if (!retiree && retired(i)) retiree = i;
    if (!orphan && is_orphan(slots_[i]->name)) orphan = i;
  }
  return retiree ? retiree : orphan;
}

// The only slot whose name was lost.
std::optional<LaneId> Desk::only_orphan() const {
  std::optional<LaneId> found;
  for (LaneId i = 0; i < kMaxLanes; ++i) {
    if (!slots_[i] || !is_orphan(slots_[i]->name)) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

// Every name that is known keeps its slot before a new one gets any. Where one slot lost its name
// and one name has no slot, they may well belong together; of several nobody can tell which to
// which. Changes nothing.
std::optional<std::map<std::string, LaneId>> Desk::assign(
    const std::vector<std::pair<std::string, LaneOptions>>& destinations) const {
  std::map<std::string, LaneId> ids;
  LaneMask taken = 0;
  for (const auto& [name, options] : destinations)
    for (LaneId i = 0; i < kMaxLanes; ++i)
      if (slots_[i] && slots_[i]->name == name) taken |= LaneMask{1} << (ids[name] = i);
  bool first = true;  // of those without one
  for (const auto& [name, options] : destinations) {
    if (ids.count(name) != 0) continue;
    const bool last = ids.size() + 1 == destinations.size();
    const auto orphan = first && last ? only_orphan() : std::nullopt;
    const auto id = orphan ? orphan : spare_slot(taken);
    first = false;
    if (!id) return std::nullopt;
    taken |= LaneMask{1} << (ids[name] = *id);
  }
  return ids;
}

// Paused: whether what is there is meant for it, the operator has to say.
void Desk::adopt(Slot& slot, const std::string& name) {
  reports_.push_back(
      fmt::format("destination {0} takes over {1}, whose name was lost to damage, and is paused: "
                  "look at what waits for it, then `checkrelay queue resume {0}`",
                  name, slot.name));
  slot.name = name;
  if (!slot.paused) slot.paused = std::max(now_.wall, Wall(Duration(1)));
}

void Desk::activate(LaneId id, const std::string& name, const LaneOptions& options) {
  auto& slot = slots_[id];
  if (slot && is_orphan(slot->name) && !retired(id)) adopt(*slot, name);
  if (!slot || slot->name != name) {
    LaneSaved saved;
    saved.cursor = saved.folded = fed_;
    slot = std::make_unique<Slot>();
    slot->name = name;
    slot->lane = Lane(saved, options_.lane);
  }
  slot->active = true;
  slot->options = options;
  slot->lane.configure(options);
}

// All or nothing. Where the disk is in trouble, the lanes are stored with what is committed next.
Result<std::vector<LaneId>> Desk::lanes(
    const std::vector<std::pair<std::string, LaneOptions>>& destinations) {
  const auto assigned = assign(destinations);
  if (!assigned)
    return fail(Errc::full, fmt::format("more than {} destinations, those that still hold "
                                        "records counted in",
                                        kMaxLanes));
  for (const auto& slot : slots_)
    if (slot) slot->active = false;
  std::vector<LaneId> ids;
  for (const auto& [name, options] : destinations) {
    ids.push_back(assigned->at(name));
    activate(ids.back(), name, options);
  }
  (void)write();
  return ids;
}

}  // namespace checkrelay
