#include "agent/cli/sender.h"

#include <fmt/format.h>

#include <utility>

#include "agent/cli/command.h"
#include "agent/cli/keep.h"

namespace checkrelay {
namespace {

// Replies of a full window fit into a socket's buffer, so that neither side waits for the other.
constexpr std::size_t kWindow = 256;
constexpr std::size_t kWindowBytes = 1024UL * 1024;
constexpr std::size_t kChunk = 1024UL * 1024;  // bytes of one spool file, about

}  // namespace

Sender::Sender(SenderOptions options, IdMaker& ids,
               std::function<void(std::size_t, const std::string&)> refused,
               std::function<void(const std::string&)> note)
    : options_(std::move(options)),
      ids_(ids),
      refused_to_(std::move(refused)),
      note_(std::move(note)) {}

void Sender::refuse(const Item& item, const std::string& why) {
  ++refused_;
  refused_to_(item.number, without_line_number(why));
}

void Sender::add(Item item) {
  if (!item.error.empty()) return refuse(item, item.error);
  if (!trouble_.empty()) return keep(std::move(item));
  owed_bytes_ += item.bytes.size();
  owed_.push_back(std::move(item));
  if (!link() || !transmit(owed_.back().bytes)) return;
  while (owed_.size() >= kWindow || owed_bytes_ >= kWindowBytes) take_reply();
}

bool Sender::link() {
  if (agent_) return true;
  auto agent = AgentSocket::connect(options_.socket, deadline_in(options_.timeout));
  if (!agent) {
    link_lost(agent.error().what);
    return false;
  }
  agent_.emplace(std::move(*agent));
  return true;
}

bool Sender::transmit(std::string_view bytes) {
  auto sent = agent_->write(bytes, deadline_in(options_.timeout));
  if (sent) return true;
  // What the agent said before it hung up still counts.
  while (!owed_.empty() && read_reply(deadline_in({}))) {
  }
  link_lost(sent.error().what);
  return false;
}

void Sender::take_reply() {
  auto read = read_reply(deadline_in(options_.timeout));
  if (!read) link_lost(read.error().what);
}

// REQUIRES: something is owed, and so there is a link.
Result<void> Sender::read_reply(Steady deadline) {
  auto line = agent_->read_line(deadline);
  if (!line) return tl::unexpected<Error>(line.error());
  Item item = std::move(owed_.front());
  owed_.pop_front();
  owed_bytes_ -= item.bytes.size();
  progress_ = true;
  Reply reply = parse_reply(*line);
  if (reply.retry && options_.spool) {
    turned_away_ = reply.error;
    keep(std::move(item));
  } else if (!reply.ok) {
    refuse(item, reply.error);
  }
  return {};
}

// What is owed is offered again where the agent was answering until now; else the spool directory
// gets it.
void Sender::link_lost(const std::string& why) {
  agent_.reset();
  if (std::exchange(progress_, false) && offer_again()) return;
  if (trouble_.empty()) trouble_ = why;
  for (Item& item : std::exchange(owed_, {})) keep(std::move(item));
  owed_bytes_ = 0;
}

bool Sender::offer_again() {
  auto agent = AgentSocket::connect(options_.socket, deadline_in(options_.timeout));
  if (!agent) return false;
  for (const Item& item : owed_) {
    if (!agent->write(item.bytes, deadline_in(options_.timeout))) return false;
  }
  agent_.emplace(std::move(*agent));
  return true;
}

void Sender::keep(Item item) {
  chunk_ += item.bytes;
  ++chunk_items_;
  if (chunk_.size() >= kChunk) write_spool_file();
}

void Sender::write_spool_file() {
  if (chunk_items_ == 0) return;
  std::string chunk = std::exchange(chunk_, {});
  const std::string& why = trouble_.empty() ? turned_away_ : trouble_;
  std::size_t items = std::exchange(chunk_items_, 0);
  std::string name = "send-" + ids_.make(wall_now());
  Result<void> kept = options_.spool ? keep_in_spool(options_.spool_dir, name, chunk)
                                     : Result<void>(fail(Errc::refused, "--no-spool"));
  if (kept) {
    return note_(fmt::format("{}; kept in {}/{}", why, options_.spool_dir, name));
  }
  lost_ += items;
  note_(fmt::format("{}; NOT kept: {}", why, kept.error().what));
}

void Sender::settle() {
  while (!owed_.empty()) take_reply();
  write_spool_file();
}

int Sender::exit_status() const { return lost_ > 0 ? kExitAway : refused_ > 0 ? kExitNo : kExitOk; }

}  // namespace checkrelay
