#include "agent/cli/run_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "agent/cli/feed.h"
#include "agent/cli/keep.h"

namespace checkrelay {

RunReport::RunReport(std::string socket, std::string spool_dir, std::string id)
    : socket_(std::move(socket)), spool_dir_(std::move(spool_dir)), id_(std::move(id)) {}

void RunReport::announce(std::string line) {
  announcement_ = std::move(line);
  if (send_announcement()) announcement_.clear();
}

bool RunReport::send_announcement() {
  const Steady now = deadline_in({});
  auto agent = AgentSocket::connect(socket_, now);
  if (!agent || !agent->write(announcement_, now)) return false;
  agent_.emplace(std::move(*agent));
  owed_ = true;
  return true;
}

void RunReport::leave_announcement() {
  if (announcement_.empty()) return;
  left_ =
      keep_in_spool(spool_dir_, "exec-" + id_ + "-start", announcement_, Sync::none).has_value();
}

// Read after the end it would begin a run that never ends.
void RunReport::take_announcement_back() {
  if (left_) ::unlink((spool_dir_ + "/exec-" + id_ + "-start").c_str());
}

// The agent's last reply.
Result<std::string> RunReport::talk(const std::string& line, Steady deadline) {
  if (auto sent = agent_->write(line, deadline); !sent) return tl::unexpected<Error>(sent.error());
  if (std::exchange(owed_, false))
    if (auto start = agent_->read_line(deadline); !start) return start;
  return agent_->read_line(deadline);
}

// The agent hangs up on who is silent for long, and it may have been started anew.
Result<std::string> RunReport::offer(const std::string& line, Steady deadline) {
  if (agent_) {
    auto reply = talk(line, deadline);
    if (reply || deadline_in({}) >= deadline) return reply;
    owed_ = false;
  }
  auto agent = AgentSocket::connect(socket_, deadline);
  if (!agent) return tl::unexpected<Error>(agent.error());
  agent_.emplace(std::move(*agent));
  return talk(line, deadline);
}

std::string RunReport::deliver(const std::string& line) {
  take_announcement_back();
  auto said = offer(line, deadline_in(kPatience));
  std::string why;
  if (said) {
    Reply reply = parse_reply(*said);
    if (reply.ok) return {};
    why = without_line_number(reply.error);
    if (!reply.retry) return "refused: " + why;
  } else {
    why = said.error().what;
  }
  auto kept = keep_in_spool(spool_dir_, "exec-" + id_, line, Sync::behind);
  return kept ? "" : fmt::format("not reported: {}; {}", why, kept.error().what);
}

}  // namespace checkrelay
