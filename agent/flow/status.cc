#include "agent/flow/status.h"

#include <algorithm>
#include <array>

#include "agent/base/json.h"
#include "agent/base/metrics.h"

namespace checkrelay {
namespace {

struct Totals {
  std::uint64_t pending = 0;  // in flight included: not yet an end
  std::uint64_t dead = 0;
  std::optional<Wall> oldest{};
};

Totals totals_of(const Status& s) {
  Totals t;
  for (const DestinationStatus& d : s.destinations) {
    t.pending += d.lane.pending + d.lane.in_flight;
    t.dead += d.lane.dead;
    if (d.lane.oldest && (!t.oldest || *d.lane.oldest < *t.oldest)) t.oldest = d.lane.oldest;
  }
  return t;
}

double seconds_since(Wall then, Wall now) { return to_seconds(std::max(now - then, Duration{})); }

void integer(JsonWriter& json, std::string_view key, std::uint64_t value) {
  json.key(key).integer(static_cast<std::int64_t>(value));
}

void write_journal(JsonWriter& json, const Status& s) {
  Totals t = totals_of(s);
  json.key("journal").begin_object();
  integer(json, "pending", t.pending);
  integer(json, "dead", t.dead);
  integer(json, "bytes", s.bytes);
  json.key("oldest_pending_s");
  t.oldest ? json.number(seconds_since(*t.oldest, s.now)) : json.null();
  json.key("error");
  s.trouble.empty() ? json.null() : json.text(s.trouble);
  json.end_object();
}

void write_intake(JsonWriter& json, const IntakeStatus& i) {
  json.begin_object().key("type").text(i.type).key("where").text(i.where);
  integer(json, "accepted", i.accepted);
  integer(json, "refused", i.refused);
  json.end_object();
}

void write_read_back(JsonWriter& json, const ReadBack& found) {
  json.key("verify").begin_object();
  integer(json, "applied", found.applied);
  integer(json, "not_applied", found.not_applied);
  integer(json, "unclear", found.unclear);
  json.key("last");
  found.last.empty() ? json.null() : json.text(found.last);
  json.end_object();
}

void write_heartbeat(JsonWriter& json, const HeartbeatCounts& h) {
  json.key("heartbeat").begin_object();
  integer(json, "sent", h.sent);
  integer(json, "refused", h.refused);
  integer(json, "superseded", h.superseded);
  json.key("taken");
  h.taken ? json.boolean(*h.taken) : json.null();
  json.key("last_sent");
  h.last_sent ? json.text(format_rfc3339(*h.last_sent)) : json.null();
  json.key("last_answer");
  h.last_answer.empty() ? json.null() : json.text(h.last_answer);
  json.end_object();
}

void write_destination(JsonWriter& json, const DestinationStatus& d) {
  json.begin_object().key("name").text(d.name).key("type").text(d.type).key("state").text(d.state);
  integer(json, "pending", d.lane.pending);
  integer(json, "held", d.lane.held);
  integer(json, "in_flight", d.lane.in_flight);
  integer(json, "delivered", d.lane.delivered);
  integer(json, "superseded", d.lane.superseded);
  integer(json, "expired", d.lane.expired);
  integer(json, "dead", d.lane.dead);
  integer(json, "retries", d.lane.retries);
  json.key("last_error");
  d.last_error.empty() ? json.null() : json.text(d.last_error);
  json.key("next_attempt_s");
  d.next_attempt ? json.number(to_seconds(*d.next_attempt)) : json.null();
  json.key("paused_since");
  d.lane.paused ? json.text(format_rfc3339(*d.lane.paused)) : json.null();
  if (d.insecure) json.key("insecure").boolean(true);
  if (d.read_back) write_read_back(json, *d.read_back);
  if (d.heartbeat) write_heartbeat(json, *d.heartbeat);
  json.end_object();
}

void write_outages(JsonWriter& json, const OutagesStatus& o) {
  json.begin_object().key("name").text(o.name).key("type").text(o.type).key("state").text(o.state);
  json.key("effect").text(o.effect).key("fetched");
  o.fetched ? json.text(format_rfc3339(*o.fetched)) : json.null();
  integer(json, "outages", o.outages);
  integer(json, "in_force", o.in_force);
  integer(json, "left_out", o.left_out);
  json.key("last_error");
  o.last_error.empty() ? json.null() : json.text(o.last_error);
  json.end_object();
}

void write_checks(JsonWriter& json, const ChecksStatus& c) {
  json.key("checks").begin_object();
  integer(json, "configured", c.configured);
  integer(json, "running", c.running);
  integer(json, "waiting", c.waiting);
  integer(json, "runs", c.runs);
  integer(json, "late", c.late);
  integer(json, "skipped", c.skipped);
  json.key("worst_late_s").number(to_seconds(c.worst_late));
  json.end_object();
}

void write_freshness(JsonWriter& json, const FreshnessStatus& f) {
  integer(json, "expected", f.expected);
  integer(json, "overdue", f.overdue);
  integer(json, "in_outage", f.in_outage);
  if (f.unwatched > 0) integer(json, "unwatched", f.unwatched);
}

using Labels = std::vector<std::pair<std::string, std::string>>;

// A family with one sample a destination.
MetricFamily per_destination(const Status& s, std::string name, std::string help, bool counter,
                             std::uint64_t LaneStats::*member) {
  MetricFamily f{std::move(name), std::move(help), counter, {}};
  for (const DestinationStatus& d : s.destinations)
    f.samples.push_back({Labels{{"destination", d.name}}, static_cast<double>(d.lane.*member)});
  return f;
}

MetricFamily per_intake(const Status& s, std::string name, std::string help,
                        std::uint64_t IntakeStatus::*member) {
  MetricFamily f{std::move(name), std::move(help), true, {}};
  for (const IntakeStatus& i : s.intakes)
    f.samples.push_back(
        {Labels{{"type", i.type}, {"where", i.where}}, static_cast<double>(i.*member)});
  return f;
}

MetricFamily per_source(const Status& s, std::string name, std::string help,
                        std::size_t OutagesStatus::*member) {
  MetricFamily f{std::move(name), std::move(help), false, {}};
  for (const OutagesStatus& o : s.outages)
    f.samples.push_back({Labels{{"source", o.name}}, static_cast<double>(o.*member)});
  return f;
}

MetricFamily source_states(const Status& s) {
  MetricFamily f{
      "checkrelay_outage_source_state", "1 for the state that the source is in", false, {}};
  for (const OutagesStatus& o : s.outages)
    f.samples.push_back({Labels{{"source", o.name}, {"state", o.state}}, 1});
  return f;
}

MetricFamily list_ages(const Status& s) {
  MetricFamily f{"checkrelay_outage_list_age_seconds", "Since the list was last there", false, {}};
  for (const OutagesStatus& o : s.outages)
    if (o.fetched)
      f.samples.push_back({Labels{{"source", o.name}}, seconds_since(*o.fetched, s.now)});
  return f;
}

MetricFamily subjects(const FreshnessStatus& f) {
  const std::size_t ok = f.expected - f.overdue - f.in_outage - f.unseen;
  const std::array<std::pair<const char*, std::size_t>, 4> counts{
      {{"ok", ok}, {"overdue", f.overdue}, {"in_outage", f.in_outage}, {"unseen", f.unseen}}};
  MetricFamily family{
      "checkrelay_freshness_subjects", "Subjects that promised to report, by state", false, {}};
  for (const auto& [state, count] : counts)
    family.samples.push_back({Labels{{"state", state}}, static_cast<double>(count)});
  return family;
}

MetricFamily single(std::string name, std::string help, bool counter, double value) {
  return {std::move(name), std::move(help), counter, {{{}, value}}};
}

MetricFamily destination_states(const Status& s) {
  MetricFamily f{
      "checkrelay_destination_state", "1 for the state that the destination is in", false, {}};
  for (const DestinationStatus& d : s.destinations)
    f.samples.push_back({Labels{{"destination", d.name}, {"state", d.state}}, 1});
  return f;
}

MetricFamily pauses(const Status& s) {
  MetricFamily f{"checkrelay_destination_paused", "1 where the operator has paused it", false, {}};
  for (const DestinationStatus& d : s.destinations)
    f.samples.push_back({Labels{{"destination", d.name}}, d.lane.paused ? 1.0 : 0.0});
  return f;
}

MetricFamily read_backs(const Status& s) {
  MetricFamily f{"checkrelay_read_back_total",
                 "Confirmed results that were looked for at the destination, by what was found",
                 true,
                 {}};
  for (const DestinationStatus& d : s.destinations) {
    if (!d.read_back) continue;
    const std::array<std::pair<const char*, std::uint64_t>, 3> counts{
        {{"applied", d.read_back->applied},
         {"not_applied", d.read_back->not_applied},
         {"unclear", d.read_back->unclear}}};
    for (const auto& [outcome, count] : counts)
      f.samples.push_back(
          {Labels{{"destination", d.name}, {"outcome", outcome}}, static_cast<double>(count)});
  }
  return f;
}

MetricFamily heartbeats(const Status& s) {
  MetricFamily f{"checkrelay_heartbeats_total",
                 "Of the agent's own service, by what became of them",
                 true,
                 {}};
  for (const DestinationStatus& d : s.destinations) {
    if (!d.heartbeat) continue;
    const std::array<std::pair<const char*, std::uint64_t>, 3> counts{
        {{"sent", d.heartbeat->sent},
         {"refused", d.heartbeat->refused},
         {"superseded", d.heartbeat->superseded}}};
    for (const auto& [outcome, count] : counts)
      f.samples.push_back(
          {Labels{{"destination", d.name}, {"outcome", outcome}}, static_cast<double>(count)});
  }
  return f;
}

MetricFamily heartbeat_times(const Status& s) {
  MetricFamily f{"checkrelay_heartbeat_last_sent_seconds",
                 "When the last one was confirmed, since the epoch",
                 false,
                 {}};
  for (const DestinationStatus& d : s.destinations)
    if (d.heartbeat && d.heartbeat->last_sent)
      f.samples.push_back(
          {Labels{{"destination", d.name}}, epoch_seconds(*d.heartbeat->last_sent)});
  return f;
}

}  // namespace

std::string trouble_of(const JournalStats& journal) {
  return journal.full ? "full: the journal has reached limits.max_queue" : journal.trouble;
}

std::string status_json(const Status& s) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .key("version")
      .text(CHECKRELAY_VERSION)
      .key("uptime_s")
      .number(to_seconds(s.uptime));
  write_journal(json, s);
  json.key("intakes").begin_array();
  for (const IntakeStatus& i : s.intakes) write_intake(json, i);
  json.end_array().key("destinations").begin_array();
  for (const DestinationStatus& d : s.destinations) write_destination(json, d);
  json.end_array().key("outages").begin_array();
  for (const OutagesStatus& o : s.outages) write_outages(json, o);
  json.end_array();
  write_checks(json, s.checks);
  json.key("freshness").begin_object();
  write_freshness(json, s.freshness);
  json.end_object().end_object();
  out += '\n';
  return out;
}

std::string status_metrics(const Status& s) {
  Totals t = totals_of(s);
  double oldest = t.oldest ? seconds_since(*t.oldest, s.now) : 0;
  return metrics_text({
      single("checkrelay_uptime_seconds", "Seconds since the agent started", false,
             to_seconds(s.uptime)),
      single("checkrelay_journal_bytes", "Bytes on disk", false, static_cast<double>(s.bytes)),
      single("checkrelay_journal_commits_total", "Synced transactions", true,
             static_cast<double>(s.commits)),
      single("checkrelay_oldest_pending_seconds", "Age of the oldest result that waits", false,
             oldest),
      single("checkrelay_longest_turn_seconds", "Longest turn of the event loop", false,
             to_seconds(s.longest_turn)),
      single("checkrelay_mended_total", "Sequences that were not UTF-8 and were replaced", true,
             static_cast<double>(s.mended)),
      single("checkrelay_log_lines_lost_total", "Log lines dropped because nobody read them", true,
             static_cast<double>(s.log_lines_lost)),
      per_intake(s, "checkrelay_accepted_total", "Results accepted: on disk",
                 &IntakeStatus::accepted),
      per_intake(s, "checkrelay_refused_total", "Results refused, in words",
                 &IntakeStatus::refused),
      per_destination(s, "checkrelay_pending", "Results that wait", false, &LaneStats::pending),
      per_destination(s, "checkrelay_held", "Subjects that a planned outage holds", false,
                      &LaneStats::held),
      per_destination(s, "checkrelay_in_flight", "Results being sent", false,
                      &LaneStats::in_flight),
      per_destination(s, "checkrelay_dead", "Results in the dead letters", false, &LaneStats::dead),
      per_destination(s, "checkrelay_delivered_total", "Results that the destination confirmed",
                      true, &LaneStats::delivered),
      per_destination(s, "checkrelay_superseded_total",
                      "Results replaced by a newer one of their subject", true,
                      &LaneStats::superseded),
      per_destination(s, "checkrelay_expired_total", "Results that grew too old or were dropped",
                      true, &LaneStats::expired),
      per_destination(s, "checkrelay_retries_total", "Tries that were not the last", true,
                      &LaneStats::retries),
      destination_states(s),
      pauses(s),
      source_states(s),
      list_ages(s),
      per_source(s, "checkrelay_outages", "Planned outages that are known",
                 &OutagesStatus::outages),
      per_source(s, "checkrelay_outages_in_force", "Of them now", &OutagesStatus::in_force),
      read_backs(s),
      heartbeats(s),
      heartbeat_times(s),
      single("checkrelay_checks", "Local checks that are configured", false,
             static_cast<double>(s.checks.configured)),
      single("checkrelay_checks_running", "Plugins that run now", false,
             static_cast<double>(s.checks.running)),
      single("checkrelay_checks_waiting", "Checks that are due and wait for room", false,
             static_cast<double>(s.checks.waiting)),
      single("checkrelay_check_runs_total", "Plugins that were begun", true,
             static_cast<double>(s.checks.runs)),
      single("checkrelay_check_late_total", "Of them, more than a second after they were due", true,
             static_cast<double>(s.checks.late)),
      single("checkrelay_check_worst_late_seconds", "The latest that one ever was", false,
             to_seconds(s.checks.worst_late)),
      single("checkrelay_check_skipped_total", "Times due that had no run", true,
             static_cast<double>(s.checks.skipped)),
      subjects(s.freshness),
  });
}

}  // namespace checkrelay
