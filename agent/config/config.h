// The configuration file as plain structs, or every fault in it as "file:line: key: what is wrong".
// Loading reads the file and the files that X_file options name, nothing else. The only toml++
// include is in document.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/secret.h"
#include "agent/port/option.h"
#include "agent/port/registry.h"

namespace checkrelay {

struct UserConfig {
  std::string name{};
  Secret password{};
  std::vector<std::string> hosts{};  // glob patterns this user may speak for
  bool operator==(const UserConfig&) const = default;
};

struct IntakeConfig {
  std::string type{};
  Options options{};                    // the kind's rows
  std::vector<std::string> dialects{};  // names; never empty
  std::vector<UserConfig> users{};
  bool operator==(const IntakeConfig&) const = default;
};

struct DestinationConfig {
  std::string name{};
  std::string type{};
  Options options{};  // common rows, the carrier's rows and the dialect's rows together
  bool operator==(const DestinationConfig&) const = default;
};

// A source of planned outages, or one that is written down here (type "local").
struct OutagesConfig {
  std::string name{};
  std::string type{};
  Options options{};
  bool operator==(const OutagesConfig&) const = default;
};

// A plugin that the agent runs by itself.
struct CheckConfig {
  std::string host{};
  std::string service{};               // empty: a host check
  std::vector<std::string> command{};  // the program and its arguments; never empty
  Options options{};
  bool operator==(const CheckConfig&) const = default;
};

// Who has promised to report (freshness.h reads it).
struct FreshnessConfig {
  Options options{};
  bool operator==(const FreshnessConfig&) const = default;
};

struct RouteConfig {
  std::string host = "*";
  std::string service = "*";  // matches a host check where it is "*" or ""
  std::vector<std::string> destinations{};
  bool operator==(const RouteConfig&) const = default;
};

struct Config {
  std::string file{};
  Options agent{};   // hostname state_dir admin_group socket drain
  Options limits{};  // max_result max_queue max_connections history_age history_size …
  Options log{};     // level format
  std::vector<IntakeConfig> intakes{};  // [agent] socket becomes a unix intake here
  std::vector<DestinationConfig> destinations{};
  std::vector<RouteConfig> routes{};
  std::vector<OutagesConfig> outages{};
  std::vector<FreshnessConfig> freshness{};
  std::optional<Options> heartbeat{};  // none: there is none
  std::vector<CheckConfig> checks{};
};

struct Fault {
  std::string file{};
  int line = 0;       // 0 where the whole file is meant
  std::string key{};  // dotted, "destination.central.url"
  std::string what{};
};
[[nodiscard]] std::string to_string(const Fault& fault);  // "FILE:LINE: key: what is wrong"

struct Loaded {
  Config config{};
  std::vector<Fault> faults{};  // valid only where empty
  // What time alone made wrong: `check` does not let it pass, an agent runs with it.
  std::vector<Fault> warnings{};
};
// Never throws; a missing or unreadable file is a fault.
[[nodiscard]] Loaded load_config(const std::string& file, const Registry& registry);
[[nodiscard]] Loaded parse_config(std::string_view text, const std::string& file,
                                  const Registry& registry);

// The annotated default configuration, made from the option rows: what `check --defaults` prints
// and conf/checkrelay.toml is.
[[nodiscard]] std::string default_config(const Registry& registry);

// Rows of the sections themselves; [[destination]] common rows hold backlog, max_age, retry_min, …
// .
[[nodiscard]] std::span<const OptionRow> agent_rows();
[[nodiscard]] std::span<const OptionRow> limits_rows();
[[nodiscard]] std::span<const OptionRow> log_rows();
[[nodiscard]] std::span<const OptionRow> destination_rows();

// What `send` needs of a configuration, leniently: works on a file with faults elsewhere, or none
// at all.
struct ClientConfig {
  std::string socket = "/run/checkrelay/checkrelay.sock";  // of the agent
  std::string spool_dir{};  // of the first spool intake; empty where there is none
  std::string hostname{};   // agent.hostname, or empty
  std::string state_dir = "/var/lib/checkrelay";
};
[[nodiscard]] ClientConfig load_client_config(const std::string& file);

}  // namespace checkrelay
