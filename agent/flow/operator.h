// Answers what is no dialect's: health, metrics, status, and the queue commands. Loop thread only.
//
//   GET  /healthz /readyz            200, or 503 with the reason; for everybody
//   GET  /metrics /v1/status         for everybody whom the door lets in
//   GET  /v1/queue?state=pending|dead|delivered&destination=&host=&service=&limit=&after=
//                                    a page may end early: "more" is true then, and "next" is the
//                                    `after` to go on with
//   GET  /v1/queue/ID                the story of one result; ID is its id or its sequence number
//   GET  /v1/export?destination=&limit=&after=   pending results as they are kept (export_page.h)
//   POST /v1/queue/release?destination=   sequence numbers, or FIRST-LAST, one a line in the body,
//                                    at most 1000 in all: exported, and so given up here
//   POST /v1/queue/pause, /v1/queue/resume   ?destination=; answered when that is on disk
//   POST /v1/queue/retry, /v1/queue/drop   ?destination=, ids one a line in the body; no id = every
//   dead one (retry only)
//
//   POST /v1/upstream/NAME           words for a destination or a source of outages, one a line of
//                                    the body, percent-encoded; {"end":"done","answer":…}, or "end"
//                                    "refused" or "unreachable" with "error"
//
//   /v1/freshness …                  freshness_view.h
//
// The queue is open to root, the agent's own user and agent.admin_group, by peer credentials of a
// unix socket.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/flow/environment.h"
#include "agent/flow/request_target.h"
#include "agent/flow/status.h"
#include "agent/port/command.h"
#include "agent/port/journal.h"
#include "agent/port/transport.h"

namespace checkrelay {

class FreshnessWatch;

class Operator {
 public:
  using Done = std::function<void(Message)>;
  // `journal` and `env` must outlive the operator; `status` is asked anew for each answer.
  Operator(Journal& journal, const Environment& env, std::function<Status()> status)
      : journal_(journal), env_(env), status_(std::move(status)) {}
  void set_admin_group(std::string group);
  // Carries an operator's words to the upstream of that name. invalid: no such words; refused: no
  // such name.
  using Told = std::function<void(const CommandReport&)>;
  using Upstream =
      std::function<Result<void>(const std::string& name, std::span<const std::string>, Told)>;
  void set_upstream(Upstream upstream) { upstream_ = std::move(upstream); }
  void set_freshness(FreshnessWatch* watch) { freshness_ = watch; }  // must outlive the operator
  // `done` is called once, at a later turn.
  void answer(const Peer& peer, const Message& request, Done done);

 private:
  [[nodiscard]] std::optional<Message> answer_at_once(const Message& request,
                                                      const RequestTarget& query);
  void queue(const Message& request, const RequestTarget& query, Done done);
  void ask_upstream(const std::string& name, const std::string& body, Done done);
  void list(const RequestTarget& query, Done done);
  void show(const std::string& id, Done done);
  void export_page(const RequestTarget& query, Done done);
  void release(const RequestTarget& query, const std::string& body, Done done);
  void pause(bool paused, const RequestTarget& query, Done done);
  [[nodiscard]] std::string pause_json(LaneId lane, bool changed) const;
  [[nodiscard]] Message no_destination(const std::string& name) const;
  // What was changed, or why it was not; `dead`: what stayed so of all that should be retried.
  [[nodiscard]] Message told(std::size_t count, std::uint64_t dead = 0) const;
  [[nodiscard]] std::uint64_t dead_of(std::optional<LaneId> lane) const;
  void change(bool retry, const RequestTarget& query, const std::string& body, Done done);
  // Calls `found` with the record that has this id, or this sequence number; an empty page where
  // there is none.
  void find(const std::string& id, std::function<void(BrowsePage)> found);
  void search(const std::string& id, Seq after, std::function<void(BrowsePage)> found);
  void find_all(std::vector<std::string> ids, std::vector<Seq> found,
                std::function<void(std::vector<Seq>)> done);
  [[nodiscard]] bool is_operator(const Peer& peer);
  [[nodiscard]] std::optional<LaneId> lane_named(std::string_view name) const;
  [[nodiscard]] std::string lane_name(LaneId lane) const;

  Journal& journal_;
  const Environment& env_;
  std::function<Status()> status_;
  Upstream upstream_{};
  FreshnessWatch* freshness_ = nullptr;  // none: of an agent that does not run
  std::string admin_group_;
  struct Membership {
    bool member = false;
    Steady until{};
  };
  std::map<std::uint32_t, Membership>
      members_;  // by uid: the name service may be slow, and a peer may ask at will
};

}  // namespace checkrelay
