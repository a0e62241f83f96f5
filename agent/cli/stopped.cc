#include "agent/cli/stopped.h"

#include <fmt/format.h>
#include <unistd.h>

#include <deque>
#include <optional>
#include <utility>

#include "agent/flow/operator.h"

namespace checkrelay {
namespace {

Instant instant_now() { return {deadline_in({}), wall_now()}; }

}  // namespace

Result<std::unique_ptr<Journal>> left_journal(const StoppedJournal& stopped,
                                              const std::string& directory) {
  const std::string holder = stopped.holder(directory);
  if (!holder.empty())
    return fail(Errc::unavailable, fmt::format("process {} has {}", holder, directory));
  return stopped.read(directory);
}

HttpAnswer ask_journal(Journal& journal, const std::string& target) {
  std::deque<std::function<void()>> deferred;
  Environment env;
  env.now = instant_now;
  env.defer = [&](std::function<void()> f) { deferred.push_back(std::move(f)); };
  Operator oper(journal, env, [] { return Status{}; });
  Peer self;
  self.uid = ::geteuid();
  std::optional<Message> answer;
  oper.answer(self, Message::request("GET", target), [&](const Message& m) { answer = m; });
  while (!answer) {
    for (; !deferred.empty(); deferred.pop_front()) deferred.front()();
    journal.poll(instant_now());
  }
  return {answer->status, std::move(answer->body)};
}

}  // namespace checkrelay
