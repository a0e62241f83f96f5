// Hands items to the agent and makes sure of each: on disk at the agent, refused in words, or kept
// in the spool directory. Blocking; one thread. Items that carry an id are stored once, however
// often the link breaks.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "agent/cli/client.h"
#include "agent/cli/feed.h"
#include "agent/policy/admission.h"

namespace checkrelay {

struct SenderOptions {
  std::string socket{};
  std::string spool_dir{};
  bool spool = true;
  Duration timeout = std::chrono::seconds(5);  // without a sign of the agent
};

class Sender {
 public:
  // `refused` hears of each refused item (number, reason), `note` of what else a person should
  // know.
  Sender(SenderOptions options, IdMaker& ids,
         std::function<void(std::size_t, const std::string&)> refused,
         std::function<void(const std::string&)> note);

  void add(Item item);
  // Waits until every item so far is safe, refused or lost.
  void settle();
  [[nodiscard]] int exit_status() const;  // after settle()
  // Nothing reaches the agent any more, and why.
  [[nodiscard]] bool away() const { return !trouble_.empty(); }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] std::size_t lost() const { return lost_; }  // kept nowhere; after settle()

 private:
  bool link();
  bool transmit(std::string_view bytes);
  void take_reply();
  [[nodiscard]] Result<void> read_reply(Steady deadline);
  void link_lost(const std::string& why);
  bool offer_again();
  void keep(Item item);
  void write_spool_file();
  void refuse(const Item& item, const std::string& why);

  SenderOptions options_;
  IdMaker& ids_;
  std::function<void(std::size_t, const std::string&)> refused_to_;
  std::function<void(const std::string&)> note_;
  std::optional<AgentSocket> agent_;
  std::string trouble_;      // why the agent is away; empty = it is not
  std::string turned_away_;  // what the agent last said when it had no room for a good result
  bool progress_ = false;    // a reply has come since the link was made
  std::deque<Item> owed_;    // sent, in order, without a reply yet
  std::size_t owed_bytes_ = 0;
  std::string chunk_;  // of the next spool file
  std::size_t chunk_items_ = 0;
  std::size_t refused_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace checkrelay
