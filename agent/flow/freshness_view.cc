#include "agent/flow/freshness_view.h"

#include <algorithm>
#include <optional>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "agent/flow/answers.h"
#include "agent/policy/freshness_text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMaxRows = 1'000;
constexpr std::size_t kLooksAPage = 20'000;  // at subjects: bounds a turn of the loop

const Promise& promise_of(const Freshness& engine, const Freshness::View& v) {
  static const Promise none;
  return v.entry == Freshness::kNoEntry ? none : engine.entries()[v.entry].promise;
}

// A promise by elapsed time is told in this system's zone.
Zone zone_of(const Freshness& engine, const Freshness::View& v) {
  if (v.entry == Freshness::kNoEntry) return own_zone();
  return promise_of(engine, v).schedule ? v.zone : promise_of(engine, v).zone;
}

std::string why(const Freshness::View& v, bool running, const Zone& zone, Wall now) {
  switch (v.state) {
    case FreshState::unseen:
      return "no result yet";
    case FreshState::overdue:
      if (running) return "a run has not ended";
      return v.last == Wall{} ? "no result ever" : "no result since " + at_words(v.last, zone, now);
    case FreshState::in_outage:
      return "late, in a planned outage";
    default:
      return running ? "a run is under way" : "";
  }
}

void put_time(JsonWriter& json, std::string_view key, Wall t) {
  json.key(key);
  t == Wall{} ? json.null() : json.text(format_rfc3339(t));
}

void put_text(JsonWriter& json, std::string_view key, const std::string& text) {
  json.key(key);
  text.empty() ? json.null() : json.text(text);
}

// How long may pass between two reports; empty where a calendar says when.
std::string every_of(const Freshness::View& v, const Promise& promise) {
  if (v.by_ttl) return v.last == Wall{} ? "" : format_duration(v.due - v.last);
  return promise.every > Duration{} ? format_duration(promise.every) : "";
}

void write_subject(JsonWriter& json, const Freshness& engine, Freshness::Id id, Wall now) {
  const Freshness::View v = engine.view(id);
  const Promise& promise = promise_of(engine, v);
  const Zone zone = zone_of(engine, v);
  const bool by_schedule = promise.schedule && !v.by_ttl;
  json.key("host").text(v.subject.host).key("service").text(v.subject.service);
  json.key("state").text(to_string(v.state));
  put_time(json, "last_seen", v.last);
  put_time(json, "due", v.due);
  json.key("zone").text(zone.name());
  put_text(json, "every", every_of(v, promise));
  put_text(json, "schedule", by_schedule ? promise.schedule->text() : "");
  json.key("ttl").boolean(v.by_ttl);
  put_text(json, "next", v.due == Wall{} ? "" : due_words(v.due, zone, now));
  put_text(json, "why", why(v, engine.record(id).standing.run != 0, zone, now));
}

struct Wanted {
  std::string host{}, service{}, state{};
  [[nodiscard]] bool takes(const Freshness& engine, Freshness::Id id) const {
    const FreshState now = engine.state(id);
    if (now == FreshState::none) return false;
    if (!state.empty() && to_string(now) != state) return false;
    const SubjectTable& names = engine.subjects();
    return (host.empty() || glob_match(host, names.host(id))) &&
           (service.empty() || glob_match(service, names.service(id)));
  }
};

Message list(const Freshness& engine, const RequestTarget& query, Wall now) {
  const Wanted wanted{query["host"], query["service"], query["state"]};
  const std::size_t limit = std::clamp<std::size_t>(query.number("limit", kMaxRows), 1, kMaxRows);
  const SubjectTable& names = engine.subjects();
  auto id =
      static_cast<Freshness::Id>(std::min<std::uint64_t>(query.number("after", 0), names.end()));
  const std::size_t last = std::min<std::size_t>(names.end(), id + kLooksAPage);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("subjects").begin_array();
  for (std::size_t rows = 0; id < last && rows < limit; ++id) {
    if (!names.holds(id) || !wanted.takes(engine, id)) continue;
    json.begin_object();
    write_subject(json, engine, id, now);
    json.end_object();
    ++rows;
  }
  json.end_array().key("next");
  id < names.end() ? json.integer(id) : json.null();
  json.end_object();
  return json_answer(200, out);
}

Message show(const Freshness& engine, Freshness::Id id, Wall now) {
  const FreshnessRecord record = engine.record(id);
  const Freshness::View v = engine.view(id);
  const Promise& promise = promise_of(engine, v);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_subject(json, engine, id, now);
  put_text(json, "promise", promise_words(promise, v.by_ttl));
  put_text(json, "grace", promise.grace > Duration{} ? format_duration(promise.grace) : "");
  put_text(json, "run_limit",
           promise.run_limit > Duration{} ? format_duration(promise.run_limit) : "");
  put_text(json, "group", v.entry == Freshness::kNoEntry ? "" : engine.entries()[v.entry].group);
  put_time(json, "told", engine.told(id));
  json.key("runs").begin_array();
  for (const FreshnessRun& run : record.runs) {
    json.begin_object().key("id").text(run.id);
    put_time(json, "began", engine.began(run));
    json.end_object();
  }
  json.end_array().end_object();
  return json_answer(200, out);
}

Message forget(FreshnessWatch& watch, const Subject& subject) {
  watch.forget(subject);
  const bool back = watch.engine().find(subject).has_value();  // an entry expects it
  return json_answer(
      200, back ? R"({"changed":1,"expected":true})" : R"({"changed":1,"expected":false})");
}

}  // namespace

Message freshness_answer(FreshnessWatch& watch, const Message& request, const RequestTarget& query,
                         Wall now) {
  const bool post = query.path() == "/v1/freshness/forget";
  if (request.method != (post ? "POST" : "GET")) return wrong_method(post ? "POST" : "GET");
  const Freshness& engine = watch.engine();
  if (query.path() == "/v1/freshness") return list(engine, query, now);
  if (!post && query.path() != "/v1/freshness/subject") return no_page(query.path());
  const Subject subject{query["host"], query["service"]};
  const auto id = engine.find(subject);
  if (!id) return error_answer(404, "nothing is known of " + quoted(to_string(subject)));
  return post ? forget(watch, subject) : show(engine, *id, now);
}

}  // namespace checkrelay
