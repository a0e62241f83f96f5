#include "agent/flow/operator.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/base/account.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "agent/flow/answers.h"
#include "agent/flow/export_page.h"
#include "agent/flow/freshness_view.h"
#include "agent/flow/queue_view.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMaxRows = 10'000;
constexpr std::size_t kExportRows = 500;  // a page is in memory whole
constexpr Duration kMembershipHolds = std::chrono::minutes(1);
constexpr std::size_t kMaxMembers = 1000;

Message plain(int status, std::string_view text) {
  return Message::response(status, std::string(text) + "\n", "text/plain; charset=utf-8");
}

// `dead`: so many could not be offered again for now.
Message changed(std::size_t count, std::uint64_t dead = 0) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("changed").integer(static_cast<std::int64_t>(count));
  if (dead > 0) json.key("dead").integer(static_cast<std::int64_t>(dead));
  json.end_object();
  return json_answer(200, std::move(out));
}

Message report_answer(const CommandReport& report) {
  using End = CommandReport::End;
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("end");
  const bool done = report.end == End::done;
  json.text(done ? "done" : report.end == End::refused ? "refused" : "unreachable");
  if (!report.json.empty()) json.key("answer").raw(report.json);
  if (!done) json.key("error").text(report.what.empty() ? "no answer" : report.what);
  json.end_object();
  return json_answer(200, std::move(out));
}

BrowseQuery whole_record() {
  BrowseQuery q;
  q.what = BrowseQuery::What::any;
  q.limit = kMaxLanes;
  return q;
}

}  // namespace

void Operator::set_admin_group(std::string group) {
  if (!group.empty() && !group_id(group))
    log(Level::warn, "agent.admin_group is no group of this machine", {{"group", group}});
  admin_group_ = std::move(group);
  members_.clear();
}

bool Operator::is_operator(const Peer& peer) {
  if (!peer.uid) return false;
  if (*peer.uid == 0 || *peer.uid == geteuid()) return true;
  if (admin_group_.empty()) return false;
  const Steady now = env_.now().steady;
  if (members_.size() > kMaxMembers) members_.clear();
  Membership& m = members_[*peer.uid];
  if (m.until <= now) m = {user_in_group(*peer.uid, admin_group_), now + kMembershipHolds};
  return m.member;
}

std::optional<LaneId> Operator::lane_named(std::string_view name) const {
  const std::vector<LaneStats>& lanes = journal_.stats().lanes;
  for (LaneId i = 0; i < lanes.size(); ++i)
    if (!name.empty() && lanes[i].name == name) return i;
  return std::nullopt;
}

std::string Operator::lane_name(LaneId lane) const {
  const std::vector<LaneStats>& lanes = journal_.stats().lanes;
  return lane < lanes.size() ? lanes[lane].name : "";
}

std::optional<Message> Operator::answer_at_once(const Message& request,
                                                const RequestTarget& query) {
  const std::string& path = query.path();
  bool known =
      path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/v1/status";
  if (!known) return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") return wrong_method("GET, HEAD");
  if (path == "/healthz") return plain(200, "ok");
  Status status = status_();
  if (path == "/readyz")
    return status.trouble.empty() ? plain(200, "ready") : plain(503, status.trouble);
  if (path == "/metrics")
    return Message::response(200, status_metrics(status),
                             "text/plain; version=0.0.4; charset=utf-8");
  return Message::response(200, status_json(status), kJson);
}

void Operator::answer(const Peer& peer, const Message& request, Done done) {
  RequestTarget query(request.target);
  auto now = [&](Message m) {
    env_.defer([done = std::move(done), m = std::move(m)] { done(m); });
  };
  if (auto m = answer_at_once(request, query)) return now(std::move(*m));
  bool queue_path = query.path() == "/v1/queue" || query.path() == "/v1/export" ||
                    (query.path().starts_with("/v1/queue/") && !query.path().ends_with("/"));
  const std::string_view upstream = "/v1/upstream/";
  const bool to_upstream = query.path().starts_with(upstream);
  const bool freshness = query.path().starts_with("/v1/freshness");
  if (!queue_path && !to_upstream && !freshness) return now(no_page(query.path()));
  if (!is_operator(peer))
    return now(error_answer(
        403,
        "the queue is open to root, the agent's user and agent.admin_group on its unix socket"));
  if (freshness)
    return now(freshness_ ? freshness_answer(*freshness_, request, query, env_.now().wall)
                          : no_page(query.path()));
  if (to_upstream) {
    if (request.method != "POST") return now(wrong_method("POST"));
    return ask_upstream(query.path().substr(upstream.size()), request.body, std::move(done));
  }
  bool post = query.path() == "/v1/queue/retry" || query.path() == "/v1/queue/drop" ||
              query.path() == "/v1/queue/release" || query.path() == "/v1/queue/pause" ||
              query.path() == "/v1/queue/resume";
  if (request.method != (post ? "POST" : "GET")) return now(wrong_method(post ? "POST" : "GET"));
  queue(request, query, std::move(done));
}

void Operator::queue(const Message& request, const RequestTarget& query, Done done) {
  std::string name = query["destination"];
  if (!name.empty() && !lane_named(name))
    return env_.defer([done = std::move(done), m = no_destination(name)] { done(m); });
  if (query.path() == "/v1/queue") return list(query, std::move(done));
  if (query.path() == "/v1/export") return export_page(query, std::move(done));
  if (query.path() == "/v1/queue/release") return release(query, request.body, std::move(done));
  if (query.path() == "/v1/queue/pause") return pause(true, query, std::move(done));
  if (query.path() == "/v1/queue/resume") return pause(false, query, std::move(done));
  if (query.path() == "/v1/queue/retry") return change(true, query, request.body, std::move(done));
  if (query.path() == "/v1/queue/drop") return change(false, query, request.body, std::move(done));
  show(query.path().substr(std::string_view("/v1/queue/").size()), std::move(done));
}

void Operator::ask_upstream(const std::string& name, const std::string& body, Done done) {
  std::vector<std::string> words;
  for (std::string_view line : split(body, '\n'))
    if (!line.empty()) words.push_back(percent_decoded(line == "%" ? "" : line));
  auto told = [done](const CommandReport& report) { done(report_answer(report)); };
  auto asked = upstream_ ? upstream_(name, words, std::move(told))
                         : Result<void>(fail(Errc::refused, "there is no upstream"));
  if (asked) return;
  const int status = asked.error().code == Errc::refused ? 404 : 400;
  env_.defer([done = std::move(done), m = error_answer(status, asked.error().what)] { done(m); });
}

void Operator::list(const RequestTarget& query, Done done) {
  auto what = browse_what(query["state"]);
  if (!what) {
    std::string state = query["state"];
    return env_.defer([done = std::move(done), state] {
      done(error_answer(400, "state: " + quoted(state) + " is none of pending, dead, delivered"));
    });
  }
  BrowseQuery q;
  q.what = *what;
  q.lane = lane_named(query["destination"]);
  q.after = query.number("after", 0);
  q.limit = std::clamp<std::size_t>(query.number("limit", 100), 1, kMaxRows);
  q.match = subject_filter(query["host"], query["service"]);
  journal_.browse(std::move(q), [this, done = std::move(done)](const BrowsePage& page) {
    done(Message::response(200, queue_json(page, [this](LaneId lane) { return lane_name(lane); }),
                           kJson));
  });
}

void Operator::show(const std::string& id, Done done) {
  find(id, [this, id, done = std::move(done)](const BrowsePage& page) {
    if (page.rows.empty()) return done(error_answer(404, "no result " + quoted(id)));
    done(Message::response(200, story_json(page, [this](LaneId lane) { return lane_name(lane); }),
                           kJson));
  });
}

// First where the id leads, then as a number, then everywhere, page by page.
void Operator::find(const std::string& id, std::function<void(BrowsePage)> found) {
  BrowseQuery q = whole_record();
  q.id = id;
  q.known_place = true;
  journal_.browse(std::move(q), [this, id, found = std::move(found)](BrowsePage page) {
    auto number = parse_integer(id, 1, INT64_MAX);
    if (!page.rows.empty()) return found(std::move(page));
    if (!number) return search(id, 0, found);
    BrowseQuery by_number = whole_record();
    by_number.seq = static_cast<Seq>(*number);
    journal_.browse(std::move(by_number), [this, id, found](BrowsePage numbered) {
      if (numbered.rows.empty()) return search(id, 0, found);
      found(std::move(numbered));
    });
  });
}

void Operator::search(const std::string& id, Seq after, std::function<void(BrowsePage)> found) {
  BrowseQuery q = whole_record();
  q.id = id;
  q.after = after;
  journal_.browse(std::move(q), [this, id, found = std::move(found)](BrowsePage page) {
    if (page.rows.empty() && page.more) return search(id, page.next, found);
    found(std::move(page));
  });
}

void Operator::find_all(std::vector<std::string> ids, std::vector<Seq> found,
                        std::function<void(std::vector<Seq>)> done) {
  if (ids.empty()) return done(std::move(found));
  std::string id = std::move(ids.back());
  ids.pop_back();
  find(id, [this, ids = std::move(ids), found = std::move(found),
            done = std::move(done)](const BrowsePage& page) mutable {
    if (!page.rows.empty()) found.push_back(page.rows.front().seq);
    find_all(std::move(ids), std::move(found), std::move(done));
  });
}

void Operator::export_page(const RequestTarget& query, Done done) {
  BrowseQuery q;
  q.lane = lane_named(query["destination"]);
  q.after = query.number("after", 0);
  q.limit = std::clamp<std::size_t>(query.number("limit", kExportRows), 1, kExportRows);
  journal_.browse(std::move(q), [done = std::move(done)](const BrowsePage& page) {
    done(Message::response(200, encode_export(page), "application/octet-stream"));
  });
}

Message Operator::told(std::size_t count, std::uint64_t dead) const {
  const std::string& trouble = journal_.stats().trouble;
  if (count > 0 || trouble.empty()) return changed(count, dead);
  return error_answer(503, "it could not be stored: " + trouble);
}

std::uint64_t Operator::dead_of(std::optional<LaneId> lane) const {
  const std::vector<LaneStats>& lanes = journal_.stats().lanes;
  std::uint64_t sum = 0;
  for (LaneId i = 0; i < lanes.size(); ++i)
    if (!lane || *lane == i) sum += lanes[i].dead;
  return sum;
}

void Operator::release(const RequestTarget& query, const std::string& body, Done done) {
  auto seqs = parse_seqs(body);
  if (!seqs)
    return env_.defer(
        [done = std::move(done), what = seqs.error().what] { done(error_answer(400, what)); });
  if (seqs->empty()) return env_.defer([done = std::move(done)] { done(changed(0)); });
  journal_.drop(lane_named(query["destination"]), std::move(*seqs), "exported",
                [this, done = std::move(done)](std::size_t count) { done(told(count)); });
}

Message Operator::no_destination(const std::string& name) const {
  std::vector<std::string_view> names;
  for (const LaneStats& lane : journal_.stats().lanes)
    if (!lane.name.empty()) names.push_back(lane.name);
  std::string what = "no destination " + quoted(name);
  const auto near = closest(name, names);
  if (near) what += "; did you mean " + quoted(*near) + "?";
  const char* between = near ? " There are " : "; there are ";
  for (std::string_view known : names) what += std::exchange(between, ", ") + quoted(known);
  if (names.empty()) what += "; there are none";
  return error_answer(404, what);
}

void Operator::pause(bool paused, const RequestTarget& query, Done done) {
  const std::string name = query["destination"];
  const auto lane = lane_named(name);
  if (!lane)
    return env_.defer(
        [done = std::move(done)] { done(error_answer(400, "a destination is wanted")); });
  journal_.pause(*lane, paused, [=, this, done = std::move(done)](const Result<bool>& changed) {
    env_.kick();
    if (!changed) return done(error_answer(503, "not stored yet: " + changed.error().what));
    if (*changed)
      log(Level::warn, paused ? "destination paused" : "destination resumed",
          {{"destination", name}});
    done(Message::response(200, pause_json(*lane, *changed), kJson));
  });
}

std::string Operator::pause_json(LaneId lane, bool changed) const {
  const LaneStats& stats = journal_.stats().lanes[lane];
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("changed").integer(changed ? 1 : 0).key("paused_since");
  stats.paused ? json.text(format_rfc3339(*stats.paused)) : json.null();
  json.key("in_flight").integer(static_cast<std::int64_t>(stats.in_flight)).end_object();
  return out + "\n";
}

void Operator::change(bool retry, const RequestTarget& query, const std::string& body, Done done) {
  std::vector<std::string> ids;
  for (std::string_view line : split(body, '\n'))
    if (!trimmed(line).empty()) ids.emplace_back(trimmed(line));
  if (ids.empty() && !retry)
    return env_.defer([done = std::move(done)] {
      done(error_answer(400, "drop needs the ids of what to drop"));
    });
  bool all = ids.empty();
  find_all(std::move(ids), {},
           [this, retry, all, lane = lane_named(query["destination"]),
            done = std::move(done)](std::vector<Seq> seqs) {
             if (seqs.empty() && !all) return done(changed(0));
             auto report = [this, all, lane, done](std::size_t n) {
               done(told(n, all ? dead_of(lane) : 0));
             };
             if (retry) return journal_.retry(lane, std::move(seqs), report);
             journal_.drop(lane, std::move(seqs), {}, report);
           });
}

}  // namespace checkrelay
