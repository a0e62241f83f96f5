// What `checkrelay upstream NAME test` says, the same for every dialect: one JSON object. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/time.h"
#include "agent/port/command.h"
#include "agent/port/message.h"
#include "agent/port/verdict.h"

namespace checkrelay {

struct UpstreamTest {
  enum class May { unknown, yes, no };
  std::string_view system{};  // "OP5 Monitor"
  std::string version{};      // the server's words; empty: not told
  May may_submit = May::unknown;
  std::optional<std::int64_t> clock_difference_s{};  // its clock minus ours
  std::vector<std::string> remarks{};  // what would go wrong and what to do, the worst first
};
constexpr std::int64_t kClockTolerance = 30;  // s; a larger difference is worth a remark

// By the answer's Date (RFC 9110 section 6.6.1) and the wall time at its receipt; an answer without
// a Date that can be read changes nothing. Adds a remark past kClockTolerance, once.
void note_clock(UpstreamTest& test, const Message& answer, Wall received);

// The test came to its end: done, or refused where this user may not submit (the first remark then
// says why). `login`: its user is shown, its secret is taken out of every text.
void tell(const UpstreamTest& test, const Credentials& login, CommandReport& report);

// The test came no further than this verdict, which is not `delivered`: refused where it is `auth`,
// and then with what is known so far; else unreachable.
void tell_failure(UpstreamTest test, const Verdict& verdict, const Credentials& login,
                  CommandReport& report);

}  // namespace checkrelay
