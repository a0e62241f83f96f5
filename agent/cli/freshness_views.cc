#include "agent/cli/freshness_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/base/json.h"
#include "agent/cli/json_view.h"
#include "agent/policy/freshness.h"

namespace checkrelay {
namespace {

constexpr std::size_t kStateCell = 2;

int urgency(const std::string& state) {
  constexpr std::array<std::string_view, 4> kOrder{"overdue", "in_outage", "unseen", "ok"};
  return static_cast<int>(std::find(kOrder.begin(), kOrder.end(), state) - kOrder.begin());
}

std::string field(std::string_view name, const std::string& value) {
  return value.empty() ? "" : fmt::format("{:<13}{}\n", name, value);
}

std::string promise_of(const Json& subject) {
  const std::string schedule = text(subject, "schedule");
  if (!schedule.empty()) return schedule;
  const std::string every = text(subject, "every");
  const bool ttl = subject.value("ttl", false);
  return every.empty() ? (ttl ? "ttl" : "") : (ttl ? "ttl " : "every ") + every;
}

// A basic string of TOML, which JSON's strings are.
std::string toml_text(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Names are literal here, and globs in the configuration.
std::string toml_glob(const std::string& name) {
  std::string glob;
  for (const char c : name) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) glob += '\\';
    glob += c;
  }
  return toml_text(glob);
}

}  // namespace

Result<FreshnessPage> freshness_page(std::string_view json) {
  return guarded(json, [](const Json& document) {
    FreshnessPage page;
    for (const Json& s : list(document, "subjects")) {
      page.rows.push_back({text(s, "host"), text(s, "service"), text(s, "state"), promise_of(s),
                           text(s, "next", kTextWidth), text(s, "why", kTextWidth)});
      page.json.push_back(s.dump());
      page.subjects.push_back({s.value("host", ""), s.value("service", "")});
    }
    page.next = text(document, "next");
    return page;
  });
}

std::string freshness_table(std::vector<std::vector<std::string>> rows, std::size_t most) {
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    const int of_a = urgency(a[kStateCell]), of_b = urgency(b[kStateCell]);
    return of_a != of_b ? of_a < of_b : a < b;
  });
  Table table({"HOST", "SERVICE", "STATE", "PROMISE", "NEXT", "WHY"});
  if (rows.size() > most) rows.resize(most);
  for (auto& row : rows) table.add(std::move(row));
  return table.text();
}

Result<std::string> freshness_view(std::string_view json) {
  return guarded(json, [](const Json& s) {
    std::string out = field("host", text(s, "host", 300));
    out += field("service", text(s, "service", 300)) + field("state", text(s, "state"));
    out += field("why", text(s, "why", 300)) + field("promise", promise_of(s));
    out += field("zone", text(s, "zone", 100)) + field("grace", text(s, "grace"));
    out += field("run limit", text(s, "run_limit")) + field("group", text(s, "group", 300));
    out += field("last seen", text(s, "last_seen")) + field("due", text(s, "due"));
    out += field("next", text(s, "next", 100)) + field("told", text(s, "told"));
    for (const Json& run : list(s, "runs"))
      out += field("run", fmt::format("{}, began {}", text(run, "id", 100), text(run, "began")));
    return out;
  });
}

bool is_expected(std::string_view json) {
  return guarded(json, [](const Json& answer) { return answer.value("expected", false); })
      .value_or(false);
}

Result<std::string> add_results(std::string_view json, Cadence& cadence) {
  return guarded(json, [&](const Json& document) {
    std::string last;  // a result has a row a destination, one behind the other
    for (const Json& row : list(document, "rows")) {
      const std::string seq = text(row, "seq");
      if (seq == last || is_freshness_source(text(row, "check_source", 300))) continue;
      last = seq;
      const auto time = parse_rfc3339(text(row, "time"));
      if (time) cadence.add({row.value("host", ""), row.value("service", "")}, *time);
    }
    return document.value("more", false) ? text(document, "next") : std::string();
  });
}

std::string suggestions_toml(const std::vector<Suggestion>& suggestions) {
  std::string out;
  for (const Suggestion& s : suggestions) {
    out += fmt::format("{}[[freshness]]  # from {} results of {}\n", out.empty() ? "" : "\n",
                       s.results,
                       s.subjects == 1 ? "one subject" : fmt::format("{} hosts", s.subjects));
    out += fmt::format("host = {}\nservice = {}\n", s.host == "*" ? "\"*\"" : toml_glob(s.host),
                       toml_glob(s.service));
    out += fmt::format("every = \"{}\"\ngrace = \"{}\"\n", format_duration(s.every),
                       format_duration(s.grace));
  }
  return out;
}

std::string suggestions_json(const std::vector<Suggestion>& suggestions) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const Suggestion& s : suggestions) {
    json.begin_object().key("host").text(s.host).key("service").text(s.service);
    json.key("every").text(format_duration(s.every)).key("grace").text(format_duration(s.grace));
    json.key("subjects").integer(static_cast<std::int64_t>(s.subjects));
    json.key("results").integer(static_cast<std::int64_t>(s.results)).end_object();
  }
  json.end_array();
  return out + "\n";
}

}  // namespace checkrelay
