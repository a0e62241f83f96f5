// The contract of inbound conversations that take bytes, run over every dialect that has them. A
// test binary links stream_contract.cc, brings stream_cases(), and gets one suite.
//
// What holds for each: the chunks that bytes arrive in make no difference; nothing is acknowledged
// before it is settled; replies keep the order of the input, however submissions are settled; every
// prefix and any garbage ends in a close.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/dialect.h"

namespace checkrelay::test {

struct StreamCase {
  std::string name{};
  const Dialect* dialect = nullptr;
  InboundContext context{};
  std::string input{};
  std::size_t results = 0;  // how many the input holds
};
inline void PrintTo(const StreamCase& c, std::ostream* out) { *out << c.name; }
[[nodiscard]] std::vector<StreamCase> stream_cases();  // of the test binary

// Everything that one conversation said and asked for.
struct Heard {
  std::vector<CheckResult> results{};
  std::vector<Refusal> refused{};
  std::string replies{};
  bool closed = false;
};

// Plays the transport: feeds pieces, settles what is asked for. Virtual time. Results are answered
// with the ids "1", "2", … in the order of submission.
class Player {
 public:
  explicit Player(const Dialect& dialect, const InboundContext& context);
  void feed(std::string_view piece);
  void feed_in_chunks(std::string_view input, std::size_t size);
  void finish();
  void advance(Duration d);
  void settle_next(bool ok = true, Errc code = Errc::refused);  // the oldest
  void settle_last();                                           // the newest
  void settle_all();
  [[nodiscard]] std::size_t open() const { return open_.size(); }
  [[nodiscard]] const Heard& heard() const { return heard_; }
  [[nodiscard]] bool alive() const { return conversation_ != nullptr && !heard_.closed; }

 private:
  struct Open {
    Ticket ticket = 0;
    std::size_t first = 0;
    std::size_t count = 0;
  };
  void perform(Actions& actions);
  void settle(std::size_t index, bool ok, Errc code);
  std::unique_ptr<Conversation> conversation_;
  Instant now_{Steady(std::chrono::hours(1)), Wall(std::chrono::hours(24 * 365 * 50))};
  Heard heard_{};
  std::vector<Open> open_{};
};

// Feeds in chunks of `chunk` bytes (0 = all at once), settles everything, finishes.
[[nodiscard]] Heard play(const StreamCase& c, std::size_t chunk = 0);

}  // namespace checkrelay::test
