#include "agent/cli/office.h"

#include <fmt/format.h>

#include <cstdio>

#include "agent/base/percent.h"
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
                                       int& status) const {
  auto around = look_around(arguments);
  auto answer = ask_agent(around.socket, method, target, body);
  const bool queue = target.starts_with("/v1/queue") || target.starts_with("/v1/export");
  if (!answer && answer.error().code == Errc::unavailable && queue)
    answer = ask_without_agent(around, method, target, answer.error().what);
  if (!answer) {
    bool away = answer.error().code == Errc::unavailable;
    status = complain((away ? "no agent answers: " : "") + answer.error().what,
                      away ? kExitAway : kExitNo);
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
    auto journal = left_journal(stopped_, around.state_dir);
    if (!journal) return fail(journal.error().code, why + "; " + journal.error().what);
    left_ = std::move(*journal);
    complain(fmt::format("the agent is not running ({}); this is the journal in {} as it was left",
                         why, around.state_dir),
             0);
  }
  return ask_journal(*left_, target);
}

}  // namespace checkrelay
