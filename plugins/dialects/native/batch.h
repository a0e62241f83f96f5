// From pieces to submissions, and from outcomes back to replies in the order of the pieces.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/check_result.h"
#include "agent/port/conversation.h"
#include "plugins/dialects/native/splitter.h"

namespace checkrelay::native {

// One piece of input: the next result of its batch, or refused.
struct Slot {
  std::size_t number = 0;  // 1-based line or element
  std::string error{};     // empty: a result
  bool too_long = false;
};

// What arrived together is submitted together.
struct Batch {
  Ticket ticket = 0;
  std::string_view unit = "line";
  std::vector<Slot> slots{};
  std::vector<CheckResult> results{};  // one for each slot without an error
  std::size_t mended = 0;              // text that was not UTF-8 and was replaced

  void take(const Piece& piece);
  void take(Format format, std::string_view bytes, std::size_t number);  // a whole piece
  void refuse(std::size_t number, std::string what, bool too_long = false);
  // Moves the results into out.submit and copies what was refused into out.refused. False where
  // there are no results.
  bool emit(Actions& out);
};

// `{"ok":true,"id":"…"}` or `{"ok":false,"error":"line 3: …"}`, without a newline.
void append_reply(std::string& out, const Outcome& outcome, std::string_view unit,
                  std::size_t number);
// What became of a slot; `next` counts the batch's results. A missing outcome reads as unavailable.
// What is not one of `outcomes` is made in `own`.
[[nodiscard]] const Outcome& outcome_of(const Slot& slot, std::span<const Outcome> outcomes,
                                        std::size_t& next, Outcome& own);

// The batches of one conversation that are not answered yet. Settled in any order, answered in
// theirs.
class Ledger {
 public:
  // Lines to reply with come out of text(); for a file, refusals by admission go to out.refused
  // with their line.
  enum class Answer { replies, refusals };
  explicit Ledger(Answer answer) : answer_(answer) {}
  void add(Batch batch, bool submitted);
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Actions& out);
  [[nodiscard]] std::string text();  // what may be said now
  [[nodiscard]] bool empty() const { return open_.empty(); }

 private:
  struct Entry {
    Ticket ticket = 0;
    std::string_view unit{};
    std::vector<Slot> slots{};
    bool settled = false;
    std::string text{};
  };
  void answer(Entry& entry, std::span<const Outcome> outcomes, Actions& out) const;
  Answer answer_;
  std::deque<Entry> open_{};
};

}  // namespace checkrelay::native
