#include "agent/cli/views.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "agent/base/text.h"
#include "agent/base/time.h"
#include "agent/cli/json_view.h"
#include "agent/cli/table.h"

namespace checkrelay {
namespace {

std::string span(double seconds) {
  if (!(seconds >= 0) || seconds > 3e9) return "?";
  auto whole = std::chrono::duration<double>(std::round(seconds));
  return format_duration(std::chrono::duration_cast<Duration>(whole));
}

std::string bytes(double size) {
  if (size >= 1 << 30) return fmt::format("{:.1f} GiB", size / (1 << 30));
  if (size >= 1 << 20) return fmt::format("{:.1f} MiB", size / (1 << 20));
  return fmt::format("{:.0f} KiB", std::ceil(size / 1024));
}

std::string journal_line(const Json& journal) {
  std::string oldest;
  if (journal.contains("oldest_pending_s") && journal["oldest_pending_s"].is_number()) {
    oldest = fmt::format(" (the oldest for {})", span(number(journal, "oldest_pending_s")));
  }
  std::string out =
      fmt::format("journal: {} pending{}, {} dead, {} on disk\n", text(journal, "pending"), oldest,
                  text(journal, "dead"), bytes(number(journal, "bytes")));
  std::string error = text(journal, "error", 200);
  return error.empty() ? out : out + "journal: " + error + "\n";
}

std::string intakes(const Json& document) {
  Table table({"INTAKE", "WHERE", ">ACCEPTED", ">REFUSED"});
  for (const Json& i : list(document, "intakes")) {
    table.add(
        {text(i, "type"), text(i, "where", kTextWidth), text(i, "accepted"), text(i, "refused")});
  }
  return table.text();
}

std::string trouble(const Json& destination) {
  std::string out;
  std::string error = text(destination, "last_error", 200);
  const std::string paused = text(destination, "paused_since");
  if (!paused.empty()) out += "; paused by the operator since " + paused;
  if (!error.empty() && text(destination, "state") != "ok") out += "; " + error;
  if (const double held = number(destination, "held"); held > 0)
    out += fmt::format("; planned outages hold {:.0f} of what is pending", held);
  if (destination.contains("next_attempt_s") && destination["next_attempt_s"].is_number()) {
    out += fmt::format("; next try in {}", span(number(destination, "next_attempt_s")));
  }
  if (destination.value("insecure", false)) out += "; TLS is not verified (insecure = true)";
  if (out.empty()) return out;
  out.erase(0, out.find_first_not_of("; "));
  return fmt::format("{}: {}\n", text(destination, "name"), out);
}

// What an upstream says to the agent's own service, where that is not that it takes it.
std::string heartbeat(const Json& destination) {
  auto it = destination.find("heartbeat");
  if (it == destination.end() || !it->is_object()) return "";
  auto taken = it->find("taken");
  if (taken == it->end() || !taken->is_boolean() || taken->get<bool>()) return "";
  return fmt::format("{}: the heartbeat is refused: {}\n", text(destination, "name"),
                     text(*it, "last_answer", 200));
}

std::string destinations(const Json& document) {
  Table table({"DESTINATION", "TYPE", "STATE", ">PENDING", ">IN FLIGHT", ">DELIVERED",
               ">SUPERSEDED", ">EXPIRED", ">DEAD", ">RETRIES"});
  std::string troubles;
  for (const Json& d : list(document, "destinations")) {
    table.add({text(d, "name"), text(d, "type"), text(d, "state"), text(d, "pending"),
               text(d, "in_flight"), text(d, "delivered"), text(d, "superseded"),
               text(d, "expired"), text(d, "dead"), text(d, "retries")});
    troubles += trouble(d) + heartbeat(d);
  }
  return table.text() + (troubles.empty() ? "" : "\n" + troubles);
}

// Nothing where there are no sources.
std::string outages(const Json& document) {
  if (list(document, "outages").empty()) return "";
  Table table({"OUTAGES", "TYPE", "STATE", "EFFECT", ">KNOWN", ">IN FORCE", "FETCHED"});
  std::string troubles;
  for (const Json& o : list(document, "outages")) {
    table.add({text(o, "name"), text(o, "type"), text(o, "state"), text(o, "effect"),
               text(o, "outages"), text(o, "in_force"), text(o, "fetched")});
    if (const std::string error = text(o, "last_error", 200); !error.empty())
      troubles += fmt::format("{}: {}\n", text(o, "name"), error);
    if (number(o, "left_out") > 0)
      troubles +=
          fmt::format("{}: {} left out, the log says why\n", text(o, "name"), text(o, "left_out"));
  }
  return "\n" + table.text() + (troubles.empty() ? "" : "\n" + troubles);
}

// Nothing where there are none.
std::string checks(const Json& document) {
  const Json c = document.value("checks", Json::object());
  if (number(c, "configured") == 0) return "";
  std::string out = fmt::format("\nlocal checks: {}, {} running, {} waiting, {} runs, {} skipped",
                                text(c, "configured"), text(c, "running"), text(c, "waiting"),
                                text(c, "runs"), text(c, "skipped"));
  if (number(c, "late") > 0)
    out += fmt::format(", {} late (at worst {})", text(c, "late"), span(number(c, "worst_late_s")));
  return out + "\n";
}

// Nothing where nobody has promised anything.
std::string freshness(const Json& document) {
  const Json f = document.value("freshness", Json::object());
  if (number(f, "expected") == 0) return "";
  return fmt::format("\nfreshness: {} expected, {} overdue, {} late in a planned outage\n",
                     text(f, "expected"), text(f, "overdue"), text(f, "in_outage"));
}

// What planned outages hold is where it should be.
bool is_well(const Json& destination) {
  const bool tries_later = !text(destination, "next_attempt_s").empty();
  const std::string state = text(destination, "state");
  return state == "ok" || (state == "held" && number(destination, "held") > 0 && !tries_later);
}

bool is_away(const Json& source) {
  const std::string state = text(source, "state");
  return state == "away" || state == "stale";
}

bool all_well(const Json& document) {
  Json journal = document.value("journal", Json::object());
  bool well = number(journal, "dead") == 0 && text(journal, "error").empty();
  for (const Json& d : list(document, "destinations")) well = well && is_well(d);
  for (const Json& o : list(document, "outages")) well = well && !is_away(o);
  return well;
}

std::string field(std::string_view name, const std::string& value) {
  return value.empty() ? "" : fmt::format("{:<13}{}\n", name, value);
}

std::string story_lines(const Json& document) {
  std::string out;
  for (const Json& line : list(document, "story")) {
    std::string answer = text(line, "answer", 500);
    std::string at = text(line, "destination");
    out += fmt::format("{}  {}{}{}{}{}\n", text(line, "at"), text(line, "what", 200),
                       at.empty() ? "" : " at ", at, answer.empty() ? "" : ": ", answer);
  }
  return out;
}

}  // namespace

Result<StatusView> status_view(std::string_view json) {
  return guarded(json, [](const Json& document) {
    StatusView out;
    out.text = fmt::format("checkrelay {}, up {}\n", text(document, "version"),
                           span(number(document, "uptime_s")));
    out.text += journal_line(document.value("journal", Json::object())) + "\n" + intakes(document) +
                "\n" + destinations(document) + outages(document) + checks(document) +
                freshness(document);
    out.well = all_well(document);
    return out;
  });
}

Result<QueueView> queue_list_view(std::string_view json) {
  return guarded(json, [](const Json& document) {
    Table table({">ID", "DESTINATION", "STATE", "HOST", "SERVICE", "RESULT", "RECEIVED", ">TRIES",
                 "ANSWER"});
    QueueView out;
    for (const Json& row : list(document, "rows")) {
      table.add({text(row, "seq"), text(row, "destination"), text(row, "state"), text(row, "host"),
                 text(row, "service"), text(row, "result_state"), text(row, "received"),
                 text(row, "tries"), text(row, "answer", kTextWidth)});
      ++out.rows;
    }
    out.text = out.rows == 0 ? "no results\n" : table.text();
    if (!document.value("more", false)) return out;
    out.next = text(document, "next");
    out.text += fmt::format("There may be more: --after {}\n", out.next);
    return out;
  });
}

Result<std::string> queue_story_view(std::string_view json) {
  return guarded(json, [](const Json& document) {
    std::string out = field("id", text(document, "id", 100));
    out += field("host", text(document, "host", 300));
    out += field("service", text(document, "service", 300));
    out += field("state", text(document, "state"));
    out += field("output", text(document, "output", 2000));
    out += field("perfdata", text(document, "perfdata", 2000));
    out += field("time", text(document, "time")) + field("received", text(document, "received"));
    out += field("check source", text(document, "check_source"));
    Table table({"DESTINATION", "STATE", ">TRIES", "ANSWER"});
    for (const Json& d : list(document, "destinations")) {
      table.add({text(d, "name"), text(d, "state"), text(d, "tries"), text(d, "answer", 500)});
    }
    std::string story = story_lines(document);
    return out + "\n" + table.text() + (story.empty() ? "" : "\n" + story);
  });
}

Result<std::string> pause_view(std::string_view json, const std::string& name) {
  return guarded(json, [&](const Json& document) {
    const std::string since = text(document, "paused_since");
    const bool news = number(document, "changed") > 0;
    if (since.empty()) return fmt::format("{} {}\n", name, news ? "goes on" : "was not paused");
    std::string out = fmt::format("{} {} paused since {}\n", name, news ? "is" : "was", since);
    if (const double flying = number(document, "in_flight"); flying > 0)
      out += fmt::format("{:.0f} results are still under way\n", flying);
    return out;
  });
}

Result<long long> landing_in(std::string_view status, const std::string& name) {
  return guarded(status, [&](const Json& document) {
    double sum = 0;
    for (const Json& d : list(document, "destinations"))
      if (!text(d, "paused_since").empty() && (name.empty() || text(d, "name", 100) == name))
        sum += number(d, "in_flight");
    return static_cast<long long>(sum);
  });
}

Result<long long> number_in(std::string_view json, std::string_view key) {
  auto found = guarded(json, [&](const Json& document) {
    return static_cast<long long>(number(document, std::string(key).c_str()));
  });
  return found;
}

std::string error_in(std::string_view json) {
  auto found = guarded(json, [](const Json& document) { return text(document, "error", 500); });
  return found && !found->empty() ? *found : plain(json, 200);
}

}  // namespace checkrelay
