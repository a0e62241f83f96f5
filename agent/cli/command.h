// The table of commands: parsing, help and "did you mean" all read the same rows. Pure.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/config.h"

namespace checkrelay {

// Exit statuses. Each command's help says which it has.
constexpr int kExitOk = 0;
constexpr int kExitNo = 1;  // refused, faults, degraded, not found
constexpr int kExitUsage = 2;
constexpr int kExitAway = 3;  // no agent, or nowhere to keep the result

struct Flag {
  std::string_view names{};     // "-H,--host"; the long name without dashes is what Arguments know
  std::string_view value{};     // "HOST"; empty = a switch
  std::string_view doc{};       // one line
  std::string_view fallback{};  // for the help; "@socket", "@config", "@host", "@spool" are live
};

struct Command {
  std::string_view name{};   // "queue list"
  std::string_view usage{};  // behind the name; lines are further forms
  std::string_view summary{};
  std::span<const Flag> flags{};
  std::string_view exits{};       // lines
  std::string_view positional{};  // "ID"; empty = takes none
  // Somebody else's words: all that are no flag of its own are kept in order, options among them.
  bool verbatim = false;
  // Runs somebody else's command line: it begins behind "--", or at the first word that is neither
  // an option nor the value of one, and is kept as it is.
  bool wraps = false;
};

// What was given on the command line.
struct Arguments {
  std::map<std::string, std::string, std::less<>> values{};
  std::set<std::string, std::less<>> switches{};
  std::vector<std::string> rest{};
  [[nodiscard]] bool has(std::string_view name) const {
    return values.find(name) != values.end() || switches.find(name) != switches.end();
  }
  [[nodiscard]] std::string text(std::string_view name) const {
    auto it = values.find(name);
    return it == values.end() ? std::string() : it->second;
  }
};

[[nodiscard]] std::span<const Command> commands();
// The command that `words` begin with; its error says "did you mean".
[[nodiscard]] Result<const Command*> find_command(std::span<const std::string> words);
// Whose commands have a second word: "queue", "freshness".
[[nodiscard]] bool is_family(std::string_view word);
[[nodiscard]] std::string long_name(const Flag& flag);

// Where things are on this machine, for live defaults.
struct Surroundings {
  std::string config_file{};
  std::string socket{};
  std::string spool_dir{};
  std::string hostname{};
  std::string state_dir{};  // of the agent at that socket; empty where it is not known whose it is
};
// -C, --config and the environment (CHECKRELAY_SOCKET, CHECKRELAY_CONFIG, CHECKRELAY_SPOOL), then
// the configuration, then defaults. Reads the configuration, leniently.
[[nodiscard]] Surroundings look_around(const Arguments& arguments);
[[nodiscard]] std::string config_file(const Arguments& arguments);

// At most 79 columns.
[[nodiscard]] std::string help(const Command& command, const Surroundings& around);
[[nodiscard]] std::string overview();
[[nodiscard]] std::string overview(std::string_view family);  // "queue"

}  // namespace checkrelay
