#include "agent/cli/office.h"

#include <fmt/format.h>

#include <cstdio>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "agent/base/time.h"
#include "agent/cli/views.h"

namespace checkrelay {

int complain(std::string_view what, int status) {
  std::fprintf(stderr, "checkrelay: %.*s\n", static_cast<int>(what.size()), what.data());
  return status;
}

std::string query_of(const Arguments& arguments, std::initializer_list<const char*> names) {
  std::string out;
  for (const char* name : names) {
    if (!arguments.has(name)) continue;
    out += fmt::format("{}{}={}", out.empty() ? "?" : "&", name,
                       percent_encoded(arguments.text(name)));
  }
  return out;
}

std::optional<std::string> Office::ask(const Arguments& arguments, std::string_view method,
                                       const std::string& target, const std::string& body,
                                       int& status, Duration wait) const {
  auto around = look_around(arguments);
  auto answer = ask_agent(around.socket, method, target, body, wait);
  const bool queue = target.starts_with("/v1/queue") || target.starts_with("/v1/export");
  if (!answer && answer.error().code == Errc::unavailable && queue)
    answer = ask_without_agent(around, method, target, answer.error().what);
  if (!answer) {
    bool away = answer.error().code == Errc::unavailable;
    status = complain((away ? "no agent answers: " : "") + answer.error().what,
                      away ? kExitAway : kExitNo);
    if (away && !queue && open_left(around)) tell_pauses();
    return std::nullopt;
  }
  if (answer->status == 200) return std::move(answer->body);
  status = complain(error_in(answer->body), kExitNo);
  return std::nullopt;
}

Result<HttpAnswer> Office::ask_without_agent(const Surroundings& around, std::string_view method,
                                             const std::string& target,
                                             const std::string& why) const {
  if (!stopped_.read || around.state_dir.empty()) return fail(Errc::unavailable, why);
  if (method != "GET")
    return fail(Errc::unavailable, why + "; only an agent that runs can change its queue");
  if (!left_) {
    if (auto opened = open_left(around); !opened)
      return fail(opened.error().code, why + "; " + opened.error().what);
    complain(fmt::format("the agent is not running ({}); this is the journal in {} as it was left",
                         why, around.state_dir),
             0);
    tell_pauses();
  }
  return ask_journal(*left_, target);
}

Result<void> Office::open_left(const Surroundings& around) const {
  if (!stopped_.read || around.state_dir.empty())
    return fail(Errc::unavailable, "no state directory is known");
  auto journal = left_journal(stopped_, around.state_dir);
  if (!journal) return tl::unexpected(journal.error());
  left_ = std::move(*journal);
  return {};
}

void Office::tell_pauses() const {
  for (const LaneStats& lane : left_->stats().lanes)
    if (lane.paused)
      complain(fmt::format("destination {} is paused since {}", quoted(lane.name),
                           format_rfc3339(*lane.paused)),
               0);
}

}  // namespace checkrelay
