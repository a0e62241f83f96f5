#include "agent/cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::string_view kConfigFile = "/etc/checkrelay/checkrelay.toml";
constexpr std::string_view kSpoolDir = "/var/spool/checkrelay";

constexpr Flag kConfig{"--config", "FILE", "the configuration", "@config"};
constexpr Flag kSocket{"-C,--socket", "SOCKET", "the agent's socket", "@socket"};
constexpr Flag kJson{"--json", "", "print the agent's JSON", ""};
constexpr Flag kHelp{"-h,--help", "", "this text", ""};

constexpr std::array kRunFlags{kConfig, kHelp};
constexpr std::array kCheckFlags{
    kConfig, Flag{"--defaults", "", "print the annotated default configuration", ""}, kHelp};
constexpr std::array kSendFlags{
    Flag{"-H,--host", "HOST", "host of the result", "@host"},
    Flag{"-S,--service", "SERVICE", "service; left out: a host check", ""},
    Flag{"-s,--state", "STATE", "0-3 or OK WARNING CRITICAL UNKNOWN UP DOWN ...", ""},
    Flag{"-m,--output", "OUTPUT", "plugin output; perfdata may follow a '|'", ""},
    Flag{"-p,--perfdata", "PERFDATA", "performance data", ""},
    Flag{"--time", "T", "epoch seconds or RFC 3339", "now"},
    Flag{"--id", "ID", "the result's identity: once in 24 h", "made up"},
    Flag{"--ttl", "D", "must report again within this", "0s, no promise"},
    Flag{"--start", "", "a run begins: prints its id, --id of its result", ""},
    Flag{"--stdin", "", "results from standard input, one a line, as JSON,", ""},
    Flag{"--no-spool", "", "do not keep the result in the spool directory", ""},
    Flag{"--spool", "DIR", "kept there when the agent does not answer", "@spool"},
    Flag{"-v,--verbose", "", "print the result's id", ""},
    Flag{"--timeout", "D", "how long the agent may keep silent", "5s"},
    kSocket,
    kConfig,
    kHelp};
constexpr std::array kExecFlags{
    Flag{"-S,--service", "SERVICE", "service of the result", ""},
    Flag{"-H,--host", "HOST", "host of the result", "@host"},
    Flag{"--timeout", "D", "end COMMAND's process group after this", "none"},
    Flag{"--kill-after", "D", "from TERM to KILL, after --timeout", "10s"},
    Flag{"--warn-after", "D", "a run longer than this is WARNING", "none"},
    Flag{"--crit-after", "D", "a run longer than this is CRITICAL", "none"},
    Flag{"--map", "WHAT=STATE,...", "first that fits; WHAT: 3, 2-9, signal, SIGTERM,", ""},
    Flag{"--lock", "NAME", "do not start while a run of NAME is under way", ""},
    Flag{"--retry", "N", "run a failing COMMAND up to N times more", "0"},
    Flag{"--retry-wait", "D", "before each of these", "1s"},
    Flag{"--ttl", "D", "must report again within this", "0s, no promise"},
    Flag{"--spool", "DIR", "kept there when the agent does not answer", "@spool"},
    kSocket,
    kConfig,
    kHelp};
constexpr std::array kStatusFlags{kJson, kSocket, kConfig, kHelp};
constexpr std::array kListFlags{Flag{"--state", "STATE", "pending, dead or delivered", "all three"},
                                Flag{"--destination", "NAME", "of this destination", "all"},
                                Flag{"--host", "GLOB", "of hosts that match", "all"},
                                Flag{"--service", "GLOB", "of services that match", "all"},
                                Flag{"--limit", "N", "at most so many", "50"},
                                Flag{"--after", "N", "behind this number", "0"},
                                kJson,
                                kSocket,
                                kConfig,
                                kHelp};
constexpr std::array kShowFlags{kJson, kSocket, kConfig, kHelp};
constexpr std::array kChangeFlags{Flag{"--destination", "NAME", "at this destination alone", "all"},
                                  kSocket, kConfig, kHelp};
constexpr std::array kPauseFlags{kSocket, kConfig, kHelp};
constexpr Flag kPassphrase{"--passphrase-file", "FILE", "its first line protects the bundle", ""};
constexpr std::array kExportFlags{
    Flag{"--destination", "NAME", "what waits for this destination", "all"},
    kPassphrase,
    Flag{"--release", "", "then give the results up here", ""},
    kSocket,
    kConfig,
    kHelp};
constexpr std::array kImportFlags{kPassphrase, kSocket, kConfig, kHelp};
constexpr std::array kDoctorFlags{Flag{"--json", "", "print JSON", ""}, kConfig, kHelp};
constexpr std::array kUpstreamFlags{Flag{"--json", "", "print the upstream's JSON", ""}, kSocket,
                                    kConfig, kHelp};
constexpr Flag kWhichHost{"-H,--host", "HOST", "of this host", ""};
constexpr Flag kWhichService{"-S,--service", "SERVICE", "this service; none: the host's own check",
                             ""};
constexpr std::array kFreshnessListFlags{Flag{"--overdue", "", "only what is overdue", ""},
                                         Flag{"--host", "GLOB", "of these hosts", ""},
                                         Flag{"--service", "GLOB", "these services", ""},
                                         Flag{"--json", "", "print JSON", ""},
                                         kSocket,
                                         kConfig,
                                         kHelp};
constexpr std::array kFreshnessShowFlags{
    kWhichHost, kWhichService, Flag{"--json", "", "print JSON", ""}, kSocket, kConfig, kHelp};
constexpr std::array kSuggestFlags{Flag{"--host", "GLOB", "of these hosts", ""},
                                   Flag{"--service", "GLOB", "these services", ""},
                                   Flag{"--json", "", "print JSON", ""},
                                   kSocket,
                                   kConfig,
                                   kHelp};
constexpr std::array kForgetFlags{kWhichHost, kWhichService, kSocket, kConfig, kHelp};
constexpr std::array kVersionFlags{kHelp};

constexpr std::string_view kQueueExits = "0 done\n1 not found, or not allowed\n3 no agent answers";

constexpr std::array kCommands{
    Command{"run", "[--config FILE]",
            "The agent, in the foreground. SIGTERM finishes what is in flight and stops,\n"
            "SIGHUP reads the configuration again and keeps the old one if it has faults.",
            kRunFlags, "0 stopped\n1 could not run", ""},
    Command{"check", "[--config FILE]\n--defaults",
            "Validates the configuration; names every fault as FILE:LINE: key: what is\n"
            "wrong. Touches nothing.",
            kCheckFlags, "0 valid\n1 faults", ""},
    Command{"send",
            "[-H HOST] [-S SERVICE] -s STATE -m OUTPUT [options]\n"
            "--start [-H HOST] -S SERVICE [--id ID]\n--stdin [options]",
            "Hands results in and returns when they are on disk. When the agent does not\n"
            "answer, a file in the spool directory keeps them until it does.",
            kSendFlags, "0 safe on disk\n1 refused, and why\n2 usage\n3 could not be kept anywhere",
            ""},
    Command{"exec", "-S SERVICE [-H HOST] [options] -- COMMAND...",
            "Runs COMMAND and reports how it ended; how long it took and what it printed at\n"
            "last, too. Output, input, signals and exit status pass through. Reporting\n"
            "neither delays nor fails COMMAND: without an agent a spool file keeps the\n"
            "result.",
            kExecFlags,
            "COMMAND's; 128+N after signal N\n2 usage\n75 not started: --lock NAME is held\n"
            "124 ended after --timeout\n126 cannot be run\n127 not found",
            "", false, true},
    Command{"status", "[--json]", "Intakes, journal, destinations, outages at a glance.",
            kStatusFlags,
            "0 all well\n1 something is in trouble, paused or dead\n3 no agent answers", ""},
    Command{"queue list", "[options]",
            "Pending, dead and recent results, oldest first. Of an agent that does not\n"
            "run the journal that it left is read; nothing in it is changed.",
            kListFlags, kQueueExits, ""},
    Command{"queue show", "ID",
            "The whole story of one result; ID is its id, or its number in the list.", kShowFlags,
            kQueueExits, "ID"},
    Command{"queue retry", "[ID...]", "Offers dead results again; without ID all of them.",
            kChangeFlags, kQueueExits, "ID"},
    Command{"queue drop", "ID...", "Gives pending or dead results up; they end as expired.",
            kChangeFlags, kQueueExits, "ID"},
    Command{"queue pause", "NAME",
            "Lets a destination rest. What is under way there ends, nothing new begins, and\n"
            "what is meant for it waits, over restarts too, until it is resumed.",
            kPauseFlags, "0 paused\n1 no such destination, or not allowed\n3 no agent answers",
            "NAME"},
    Command{"queue resume", "NAME", "Lets a paused destination go on.", kPauseFlags,
            "0 not paused any more\n1 no such destination, or not allowed\n3 no agent answers",
            "NAME"},
    Command{"queue export", "FILE",
            "Writes pending results into a file for another agent. They\n"
            "stay pending here, unless --release gives them up once the file is synced.\n"
            "Pause the destination first, or what is under way may arrive by both ways; what\n"
            "is under way at a paused one is awaited.",
            kExportFlags,
            "0 done\n1 nothing is pending, or refused, and why\n3 no agent, no journal", "FILE"},
    Command{
        "queue import", "FILE",
        "Hands an exported file's results to the agent. Their ids, times and order\n"
        "stay. A faulty file is refused whole. Importing again within 24 hours of the\n"
        "first time stores nothing twice, and so finishes what was interrupted.",
        kImportFlags,
        "0 all are on disk at the agent\n1 refused, all or some, and why\n3 the agent went away",
        "FILE"},
    Command{"freshness list", "[--overdue] [options]",
            "Who has promised to report, and who is late. NEXT is when the next report is\n"
            "due, in the zone of its schedule.",
            kFreshnessListFlags, kQueueExits, ""},
    Command{"freshness show", "-H HOST [-S SERVICE]",
            "One subject: promise, last report, the runs under way.", kFreshnessShowFlags,
            kQueueExits, ""},
    Command{"freshness suggest", "[options]",
            "Proposes what to promise, from the results that are known.\n"
            "Entries for the configuration are printed; nothing is changed.",
            kSuggestFlags, kQueueExits, ""},
    Command{"freshness forget", "-H HOST [-S SERVICE]",
            "For a subject that is gone: unwatched until it reports.", kForgetFlags, kQueueExits,
            ""},
    Command{"upstream",
            "NAME test\nNAME hosts list [--query Q] [--first N] [--count N]\n  [--depth D]\n"
            "NAME hosts get NAME\nNAME hosts delete NAME...\nNAME hosts rename OLD NEW\n"
            "NAME hosts complete PREFIX\nNAME hosts filter GROUP...\n"
            "NAME outages list\nNAME outages get ID\n"
            "NAME outages create --node N... --start T --end T\n"
            "  [--element NODE:ELEMENT]... [--frequency F]\n"
            "  [--description D] [--change-id C]\n"
            "NAME outages update ID ...\nNAME outages delete ID\n"
            "NAME info\nNAME reload status\n"
            "NAME reload start [--wait] [--changelog TEXT]",
            "Asks an upstream, or a source of planned outages. Times\n"
            "without a zone are this machine's.",
            kUpstreamFlags, "0 done\n1 refused, and why\n3 no agent, or no upstream, answers",
            "WORD", true},
    Command{"doctor", "[--json]",
            "Finds what is wrong, and says what to do about it. Looks at configuration,\n"
            "files, disk, clock, journal (all of it) and destinations (they get no result).\n"
            "Changes nothing. Best run as root or as the agent's user.",
            kDoctorFlags, "0 all well\n1 faults", ""},
    Command{"version", "", "Prints the version.", kVersionFlags, "0", ""},
};

// Commands of two words, which the overview tells in a line.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kFamilies{
    {{"queue", "list, show, retry, drop, pause, resume, export, import"},
     {"freshness", "list, show, suggest, forget: who is to report, and is late"}}};

// The commands' first words, or the second words of a family.
std::vector<std::string_view> words_after(std::string_view family) {
  std::vector<std::string_view> out;
  for (const Command& command : kCommands) {
    std::string_view name = command.name;
    if (!family.empty()) {
      if (!name.starts_with(family) || name.size() <= family.size()) continue;
      name.remove_prefix(family.size() + 1);
    }
    name = name.substr(0, name.find(' '));
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

tl::unexpected<Error> unknown(std::string_view word, std::string_view family) {
  std::vector<std::string_view> words = words_after(family);
  std::string what = fmt::format("{} is no command", quoted(word));
  if (auto near = closest(word, words)) {
    what += fmt::format("; did you mean \"{}{}{}\"?", family, family.empty() ? "" : " ", *near);
  }
  return fail(Errc::invalid, what);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string first_of(std::initializer_list<std::string> candidates) {
  for (const std::string& candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string live(std::string_view fallback, const Surroundings& around) {
  if (fallback == "@config") return around.config_file;
  if (fallback == "@socket") return around.socket;
  if (fallback == "@host") return around.hostname;
  if (fallback == "@spool") return around.spool_dir;
  return std::string(fallback);
}

constexpr std::size_t kColumns = 79;
constexpr std::size_t kDocColumn = 26;

// A default that does not fit beside the text goes under it, and is cut where even that is too
// narrow.
std::string flag_line(const Flag& flag, const Surroundings& around) {
  std::string names(flag.names);
  if (auto comma = names.find(','); comma != names.npos) {
    names.insert(comma + 1, " ");
  } else {
    names = "    " + names;
  }
  std::string out = fmt::format("  {} {}", names, flag.value);
  out.resize(std::max(out.size() + 1, kDocColumn), ' ');
  out += flag.doc;
  std::string fallback = live(flag.fallback, around);
  if (fallback.empty()) return out + "\n";
  std::size_t room = kColumns - kDocColumn - 2;
  if (fallback.size() > room) fallback = fallback.substr(0, room - 3) + "...";
  bool fits = out.size() + fallback.size() + 3 <= kColumns;
  return out + (fits ? " " : "\n" + std::string(kDocColumn, ' ')) + "[" + fallback + "]\n";
}

std::string usage(const Command& command) {
  std::string out;
  for (std::string_view form : split(command.usage, '\n')) {
    if (form.starts_with(' ')) {  // the line before goes on
      out += fmt::format("         {}\n", form);
      continue;
    }
    out += fmt::format("{} checkrelay {}{}{}\n", out.empty() ? "usage:" : "      ", command.name,
                       form.empty() ? "" : " ", form);
  }
  return out;
}

std::string command_line(const Command& command) {
  return fmt::format("  {:<18}{}\n", command.name,
                     command.summary.substr(0, command.summary.find_first_of(".;\n")));
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

bool is_family(std::string_view word) {
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](const auto& family) { return family.first == word; });
}

std::string long_name(const Flag& flag) {
  std::string_view name = flag.names.substr(flag.names.find("--") + 2);
  return std::string(name);
}

Result<const Command*> find_command(std::span<const std::string> words) {
  if (words.empty()) return fail(Errc::invalid, "a command is missing");
  std::string name = words[0];
  if (is_family(name)) {
    if (words.size() < 2 || words[1].starts_with('-')) {
      return fail(Errc::invalid, fmt::format("{} needs a second word", quoted(name)));
    }
    name += " " + words[1];
  }
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return is_family(words[0]) ? unknown(words[1], words[0]) : unknown(words[0], "");
}

std::string config_file(const Arguments& arguments) {
  return first_of(
      {arguments.text("config"), environment("CHECKRELAY_CONFIG"), std::string(kConfigFile)});
}

Surroundings look_around(const Arguments& arguments) {
  std::string file = config_file(arguments);
  ClientConfig config = load_client_config(file);
  // A configuration that was named on the command line outweighs the environment's socket.
  std::string named = arguments.has("config") ? config.socket : "";
  std::string socket =
      first_of({arguments.text("socket"), named, environment("CHECKRELAY_SOCKET"), config.socket});
  return {file, socket,
          first_of({arguments.text("spool"), environment("CHECKRELAY_SPOOL"), config.spool_dir,
                    std::string(kSpoolDir)}),
          first_of({config.hostname, host_name()}),
          socket == config.socket ? config.state_dir : ""};
}

std::string help(const Command& command, const Surroundings& around) {
  std::string out = usage(command) + "\n" + std::string(command.summary) + "\n\n";
  for (const Flag& flag : command.flags) {
    out += flag_line(flag, around);
    if (flag.names == "--stdin") {
      out += std::string(kDocColumn, ' ') + "external commands, host<TAB>service<TAB>...\n";
    }
    if (flag.names == "--map") {
      out += std::string(kDocColumn, ' ') + "timeout, locked, * [0=OK,*=CRITICAL]\n";
    }
  }
  out += "\nexit status:\n";
  for (std::string_view line : split(command.exits, '\n')) out += fmt::format("  {}\n", line);
  return out;
}

std::string overview() {
  std::string out =
      "usage: checkrelay COMMAND [options]\n\n"
      "Takes passive check results in, keeps them on disk, hands them on.\n\n";
  for (const Command& command : kCommands)
    if (command.name.find(' ') == command.name.npos) out += command_line(command);
  for (const auto& [family, what] : kFamilies) out += fmt::format("  {:<18}{}\n", family, what);
  out += "\ncheckrelay COMMAND --help tells more, defaults and exit statuses too.\n";
  return out;
}

std::string overview(std::string_view family) {
  std::string out = fmt::format("usage: checkrelay {} COMMAND [options]\n\n", family);
  for (const Command& command : kCommands) {
    if (command.name.starts_with(family)) out += command_line(command);
  }
  return out;
}

}  // namespace checkrelay
