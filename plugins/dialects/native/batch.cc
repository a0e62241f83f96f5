#include "plugins/dialects/native/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/base/json.h"

namespace checkrelay::native {
namespace {

constexpr std::size_t kReplySize = 56;  // of an acknowledgement, and its newline

}  // namespace

void Batch::take(const Piece& piece) {
  unit = unit_of(piece.format);
  if (piece.kind == Piece::Kind::whole) return take(piece.format, piece.bytes, piece.number);
  refuse(piece.number, piece.what, piece.kind == Piece::Kind::too_long);
}

void Batch::take(Format format, std::string_view bytes, std::size_t number) {
  auto result = decode(format, bytes, mended);
  if (!result) return refuse(number, std::move(result.error().what));
  slots.push_back({number, {}, false});
  results.push_back(std::move(*result));
}

void Batch::refuse(std::size_t number, std::string what, bool too_long) {
  slots.push_back({number, std::move(what), too_long});
}

bool Batch::emit(Actions& out) {
  for (const Slot& slot : slots)
    if (!slot.error.empty()) out.refused.push_back({slot.number, slot.error});
  if (results.empty()) return false;
  Submission submission;
  submission.ticket = ticket;
  submission.results = std::move(results);
  submission.mended = mended;
  out.submit.push_back(std::move(submission));
  results.clear();
  return true;
}

void append_reply(std::string& out, const Outcome& outcome, std::string_view unit,
                  std::size_t number) {
  JsonWriter json(out);
  json.begin_object().key("ok").boolean(outcome.ok);
  if (outcome.ok)
    json.key("id").text(outcome.id);
  else
    json.key("error").text(fmt::format("{} {}: {}", unit, number, outcome.error));
  // Nothing is wrong with the result: the same line may be taken later, and may be kept elsewhere
  // meanwhile.
  if (!outcome.ok && (outcome.code == Errc::full || outcome.code == Errc::unavailable))
    json.key("retry").boolean(true);
  json.end_object();
}

const Outcome& outcome_of(const Slot& slot, std::span<const Outcome> outcomes, std::size_t& next,
                          Outcome& own) {
  if (!slot.error.empty()) return own = {false, {}, Errc::invalid, slot.error};
  if (next < outcomes.size()) return outcomes[next++];
  return own = {false, {}, Errc::unavailable, "no outcome was told"};
}

void Ledger::add(Batch batch, bool submitted) {
  if (batch.slots.empty()) return;
  open_.push_back({batch.ticket, batch.unit, std::move(batch.slots), false, {}});
  Actions none;
  if (!submitted) answer(open_.back(), {}, none);
}

void Ledger::settle(Ticket ticket, std::span<const Outcome> outcomes, Actions& out) {
  auto entry = std::find_if(open_.begin(), open_.end(),
                            [ticket](const Entry& e) { return e.ticket == ticket && !e.settled; });
  if (entry != open_.end()) answer(*entry, outcomes, out);
}

void Ledger::answer(Entry& entry, std::span<const Outcome> outcomes, Actions& out) const {
  std::size_t next = 0;
  Outcome own;
  if (answer_ == Answer::replies) entry.text.reserve(entry.slots.size() * kReplySize);
  for (const Slot& slot : entry.slots) {
    const Outcome& outcome = outcome_of(slot, outcomes, next, own);
    if (answer_ == Answer::replies) {
      append_reply(entry.text, outcome, entry.unit, slot.number);
      entry.text += '\n';
    } else if (slot.error.empty() && !outcome.ok &&
               (outcome.code == Errc::invalid || outcome.code == Errc::refused)) {
      out.refused.push_back({slot.number, outcome.error});
    }
  }
  entry.settled = true;
  entry.slots = {};
}

std::string Ledger::text() {
  std::string said;
  if (!open_.empty() && open_.front().settled) {
    said = std::move(open_.front().text);
    open_.pop_front();
  }
  while (!open_.empty() && open_.front().settled) {
    said += open_.front().text;
    open_.pop_front();
  }
  return said;
}

}  // namespace checkrelay::native
