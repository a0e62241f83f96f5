#include <array>

#include "agent/port/conversation.h"
#include "agent/port/journal.h"
#include "agent/port/registry.h"
#include "agent/port/verdict.h"

namespace checkrelay {

void Conversation::answer(Ticket, Message, Instant, Actions&) {}
void Conversation::expire(Instant, Actions&) {}

std::string_view to_string(Judgement j) {
  constexpr std::array<std::string_view, 7> kNames{
      "delivered", "rejected", "unknown_object", "transient", "auth", "config", "held"};
  return kNames[static_cast<std::size_t>(j)];
}

const Dialect* Registry::dialect(std::string_view name) const {
  for (const Dialect* d : dialects)
    if (d->name() == name) return d;
  return nullptr;
}

const IntakeKind* Registry::intake(std::string_view name) const {
  for (const IntakeKind& k : intakes)
    if (k.name == name) return &k;
  return nullptr;
}

const CarrierKind* Registry::carrier(Framing framing) const {
  for (const CarrierKind& k : carriers)
    if (k.framing == framing) return &k;
  return nullptr;
}

}  // namespace checkrelay
