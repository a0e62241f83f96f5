#include "agent/cli/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "agent/base/json.h"
#include "agent/cli/client.h"
#include "agent/cli/doctor_places.h"
#include "agent/cli/doctor_probe.h"
#include "agent/cli/table.h"
#include "agent/cli/views.h"

namespace checkrelay {
namespace {

using Kind = Finding::Kind;
using Findings = std::vector<Finding>;

constexpr std::size_t kWidth = 1000;  // characters of a line
constexpr Duration kPatience = std::chrono::seconds(5);

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::well:
      return "ok";
    case Kind::note:
      return "note";
    case Kind::fault:
      break;
  }
  return "fault";
}

bool well(const Findings& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.kind == Kind::fault; });
}

void append(Findings& to, Findings more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

Finding examine_agent(const std::string& socket, const std::string& holder) {
  auto answer = ask_agent(socket, "GET", "/v1/status", "", kPatience);
  if (!answer && holder.empty()) return {Kind::note, "agent", "it is not running", {}};
  if (!answer)
    return {Kind::fault, "agent",
            fmt::format("process {} has the state directory, and nobody answers at {}: {}", holder,
                        socket, answer.error().what),
            "see its log; restart it if it hangs, nothing that was accepted is lost"};
  auto view = status_view(answer->body);
  if (answer->status == 200 && view && view->well)
    return {Kind::well, "agent", "it runs and reports no trouble", {}};
  return {Kind::fault, "agent", "it runs and reports trouble",
          "`checkrelay status` tells it, `checkrelay queue list --state dead` what was refused"};
}

Findings examine(const Arguments& arguments, const Registry& registry,
                 const JournalDoctor& journal) {
  Findings out;
  const std::string file = config_file(arguments);
  Loaded loaded = load_config(file, registry);
  for (const Fault& fault : loaded.faults)
    out.push_back({Kind::fault, "configuration", to_string(fault),
                   "mend it; until then no agent starts with it, and a running one keeps the old"});
  for (const Fault& fault : loaded.warnings)
    out.push_back({Kind::note, "configuration", to_string(fault),
                   "an agent runs with it, and nothing of it is due any more: mend it"});
  const bool valid = loaded.faults.empty();
  if (valid) out.push_back({Kind::well, "configuration", file + " is valid", {}});
  const ClientConfig client = load_client_config(file);
  const std::string& state = client.state_dir;
  out.push_back(examine_agent(client.socket, journal.holder(state)));
  append(out, examine_clock(wall_now()));
  if (valid) append(out, examine_places(loaded.config));
  append(out, journal.examine(state, wall_now()));
  if (valid) append(out, examine_destinations(loaded.config, registry));
  return out;
}

}  // namespace

std::string findings_text(const Findings& findings) {
  std::string out;
  for (const Finding& f : findings) {
    out += fmt::format("{:<6} {}: {}\n", word(f.kind), f.about, plain(f.what, kWidth));
    if (!f.advice.empty()) out += fmt::format("       -> {}\n", plain(f.advice, kWidth));
  }
  const auto faults = std::count_if(findings.begin(), findings.end(),
                                    [](const Finding& f) { return f.kind == Kind::fault; });
  return out + (faults == 0 ? "all well\n" : fmt::format("{} faults\n", faults));
}

std::string findings_json(const Findings& findings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("well").boolean(well(findings)).key("findings").begin_array();
  for (const Finding& f : findings) {
    json.begin_object().key("kind").text(word(f.kind)).key("about").text(f.about);
    json.key("what").text(plain(f.what, kWidth)).key("advice").text(f.advice).end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

int doctor_command(const Arguments& arguments, const Registry& registry,
                   const JournalDoctor& journal) {
  const Findings findings = examine(arguments, registry, journal);
  const std::string text =
      arguments.has("json") ? findings_json(findings) : findings_text(findings);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return well(findings) ? kExitOk : kExitNo;
}

}  // namespace checkrelay
