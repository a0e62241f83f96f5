// The real store and logic without the thread, so that the n-th call to the disk is always the same
// one; work to be done with it; and what must be true of it afterwards, whatever the disk did.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "spool/desk.h"
#include "spool/sqlite_store.h"

namespace checkrelay {

struct DeskAgent {
  explicit DeskAgent(const std::string& directory, int checkpoint_pages = 40);
  [[nodiscard]] bool opened() const { return desk != nullptr; }
  [[nodiscard]] bool well() const { return opened() && desk->stats().trouble.empty(); }

  Error error{};  // where it did not open
  std::vector<std::string> reports{};
  std::unique_ptr<SqliteStore> store{};
  std::unique_ptr<Desk> desk{};
};

void retry_all(Desk& desk);  // of lane 0

// What the producers, the operator and the destinations of lanes 0 and 2 know.
struct Known {
  std::map<Seq, std::string> acknowledged{};  // body
  std::set<Seq> settled{};  // told to be finished; whether that is on disk is open
  std::set<Seq> dropped{};
  std::set<std::string> unheard{};    // bodies of what was refused, and never taken afterwards
  std::set<std::string> once{};       // bodies of those whose id was given
  std::map<Seq, std::string> told{};  // to lane 2; whether that is on disk is open
  std::set<bool> paused{false};       // what lane 2 may be after a loss of power
};

// One step of a fixed course: some records from `n` on are handed in (again, where they were
// refused), some claimed, settled, revived, dropped; lane 2 is paused and resumed; and
// housekeeping. Returns the next n. Fails
// the test where a producer hears what it must not hear.
int work_step(DeskAgent& agent, Known& known, int n);

// Drains all lanes. Everything acknowledged is there with its bytes or was settled before, nothing
// is there twice, and the books balance.
void check_everything(DeskAgent& agent, const Known& known);

}  // namespace checkrelay
