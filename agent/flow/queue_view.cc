#include "agent/flow/queue_view.h"

#include <algorithm>
#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "agent/model/packed.h"

namespace checkrelay {
namespace {

constexpr std::string_view kStored = "stored";

void write_row(JsonWriter& json, const Browsed& row, const LaneNames& name) {
  json.begin_object().key("seq").integer(static_cast<std::int64_t>(row.seq)).key("id").text(row.id);
  json.key("destination").text(name(row.lane)).key("state").text(row.what);
  if (auto r = unpack(row.body)) {
    json.key("host").text(r->subject.host).key("service").text(r->subject.service);
    json.key("result_state")
        .text(state_name(r->state, r->subject.is_host()))
        .key("output")
        .text(r->output);
    json.key("time").text(format_rfc3339(r->time)).key("check_source").text(r->check_source);
  }
  json.key("received").text(format_rfc3339(row.received));
  json.key("tries").integer(row.tries).key("answer").text(row.answer).end_object();
}

void write_result(JsonWriter& json, const CheckResult& r) {
  json.key("host").text(r.subject.host).key("service").text(r.subject.service);
  json.key("state").text(state_name(r.state, r.subject.is_host()));
  json.key("output").text(r.output).key("perfdata").text(r.perfdata);
  json.key("time").text(format_rfc3339(r.time)).key("received").text(format_rfc3339(r.received));
  if (r.ttl > Duration{}) json.key("ttl").number(to_seconds(r.ttl));
  json.key("check_source").text(r.check_source);
}

// Every destination's lines in the order of time; that the record was stored is told once.
std::vector<StoryLine> whole_story(const BrowsePage& page) {
  std::vector<StoryLine> lines;
  for (const Browsed& row : page.rows)
    for (const StoryLine& line : row.story)
      if (line.what != kStored || lines.empty() || lines.front().what != kStored)
        lines.push_back(line);
  std::stable_sort(lines.begin(), lines.end(),
                   [](const StoryLine& a, const StoryLine& b) { return a.at < b.at; });
  return lines;
}

}  // namespace

std::optional<BrowseQuery::What> browse_what(std::string_view state) {
  if (state.empty()) return BrowseQuery::What::any;
  if (state == "pending") return BrowseQuery::What::pending;
  if (state == "dead") return BrowseQuery::What::dead;
  if (state == "delivered") return BrowseQuery::What::delivered;
  return std::nullopt;
}

std::function<bool(const std::string&)> subject_filter(std::string host, std::string service) {
  if (host.empty() && service.empty()) return {};
  return [host = std::move(host), service = std::move(service)](const std::string& body) {
    auto r = unpack(body);
    return r && (host.empty() || glob_match(host, r->subject.host)) &&
           (service.empty() || glob_match(service, r->subject.service));
  };
}

std::string queue_json(const BrowsePage& page, const LaneNames& name) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("rows").begin_array();
  for (const Browsed& row : page.rows) write_row(json, row, name);
  json.end_array().key("more").boolean(page.more);
  if (page.more) json.key("next").integer(static_cast<std::int64_t>(page.next));
  json.end_object();
  out += '\n';
  return out;
}

std::string story_json(const BrowsePage& page, const LaneNames& name) {
  std::string out;
  JsonWriter json(out);
  const Browsed& first = page.rows.front();
  json.begin_object()
      .key("seq")
      .integer(static_cast<std::int64_t>(first.seq))
      .key("id")
      .text(first.id);
  if (auto r = unpack(first.body)) write_result(json, *r);
  json.key("destinations").begin_array();
  for (const Browsed& row : page.rows) {
    json.begin_object().key("name").text(name(row.lane)).key("state").text(row.what);
    json.key("tries").integer(row.tries).key("answer").text(row.answer).end_object();
  }
  json.end_array().key("story").begin_array();
  for (const StoryLine& line : whole_story(page)) {
    json.begin_object().key("at").text(format_rfc3339(line.at));
    json.key("destination").text(line.what == kStored ? "" : name(line.lane));
    json.key("what").text(line.what).key("answer").text(line.answer).end_object();
  }
  json.end_array().end_object();
  out += '\n';
  return out;
}

}  // namespace checkrelay
