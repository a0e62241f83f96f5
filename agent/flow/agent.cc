#include "agent/flow/agent.h"

#include <algorithm>
#include <utility>

#include "agent/base/log.h"
#include "agent/flow/option_files.h"

namespace checkrelay {
namespace {

Backlog backlog_of(const Options& o) {
  const std::string text = o.text("backlog");
  return text == "latest" ? Backlog::latest : text == "changes" ? Backlog::changes : Backlog::all;
}

Drain drain_of(const Options& o) {
  return o.text("drain") == "fresh_first" ? Drain::fresh_first : Drain::in_order;
}

std::vector<std::pair<std::string, LaneOptions>> lanes_of(const Config& config) {
  std::vector<std::pair<std::string, LaneOptions>> lanes;
  for (const DestinationConfig& d : config.destinations)
    lanes.emplace_back(d.name, LaneOptions{backlog_of(d.options), d.options.duration("max_age"),
                                           drain_of(d.options)});
  return lanes;
}

bool same_transport(const IntakeConfig& a, const IntakeConfig& b) {
  return a.type == b.type && a.options == b.options && !reads_files(a.options);
}

bool same_place(const IntakeConfig& a, const IntakeConfig& b) {
  return a.type == b.type && a.options.text("path") == b.options.text("path") &&
         a.options.text("listen") == b.options.text("listen");
}

Router router_of(const Config& config, const std::vector<LaneId>& lanes) {
  auto mask_of = [&](const std::string& name) {
    LaneMask mask = 0;
    for (std::size_t i = 0; i < config.destinations.size(); ++i)
      if (config.destinations[i].name == name) mask |= LaneMask{1} << lanes[i];
    return mask;
  };
  LaneMask everywhere = 0;
  for (LaneId lane : lanes) everywhere |= LaneMask{1} << lane;
  std::vector<Route> routes;
  for (const RouteConfig& r : config.routes) {
    Route& route = routes.emplace_back();
    route.host = r.host;
    route.service = r.service;
    for (const std::string& name : r.destinations) route.lanes |= mask_of(name);
  }
  return Router(everywhere, std::move(routes));
}

template <typename T, typename Predicate>
std::vector<T> extract_if(std::vector<T>& from, Predicate wanted) {
  auto middle =
      std::stable_partition(from.begin(), from.end(), [&](const T& t) { return !wanted(t); });
  std::vector<T> out(std::make_move_iterator(middle), std::make_move_iterator(from.end()));
  from.erase(middle, from.end());
  return out;
}

template <typename T>
void append(std::vector<T>& to, std::vector<T> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

}  // namespace

Agent::Agent(const Registry& registry, Journal& journal, Loop& loop, Environment env)
    : registry_(registry),
      journal_(journal),
      loop_(loop),
      env_(std::move(env)),
      started_(env_.now()),
      outages_(registry, loop, env_),
      intake_(journal),
      freshness_(journal, intake_, outages_.books(), env_),
      operator_(journal, env_, [this] { return status(); }),
      checks_(intake_, env_) {
  intake_.set_watch(&freshness_);
  operator_.set_freshness(&freshness_);
  env_.outages = [this](Wall now) { return outages_.known(now); };
  operator_.set_upstream([this](const auto& name, auto words, Operator::Told told) {
    return ask_upstream(name, words, std::move(told));
  });
}

Agent::~Agent() = default;

Result<void> Agent::start(Config config) {
  outages_.load();
  return apply(std::move(config), true);
}

void Agent::reload(Config config) {
  if (config.agent.text("state_dir") != config_.agent.text("state_dir"))
    log(Level::warn, "agent.state_dir takes effect at the next start",
        {{"now", config_.agent.text("state_dir")}});
  if (auto ok = apply(std::move(config), false); !ok)
    log(Level::error, "reload failed, the old configuration stays", {{"error", ok.error().what}});
}

Result<void> Agent::apply(Config config, bool strict) {
  auto sources = outages_.prepare(config.outages);
  if (!sources) return tl::unexpected(sources.error());
  auto checks = checks_.prepare(config);
  if (!checks) return tl::unexpected(checks.error());
  if (auto ok = apply_destinations(config); !ok) return ok;
  outages_.take(std::move(*sources), config.outages);
  configure_heartbeat(config);
  freshness_.configure(config.freshness, config.agent.text("hostname"));
  operator_.set_admin_group(config.agent.text("admin_group"));
  auto ok = apply_intakes(config, strict);
  checks_.take(std::move(*checks), config);
  config_ = std::move(config);
  env_.kick();
  return ok;
}

Result<std::unique_ptr<Delivery>> Agent::build(const DestinationConfig& config, LaneId lane) {
  const Dialect* dialect = registry_.dialect(config.type);
  auto outbound = dialect->outbound(config.options);
  if (!outbound) return tl::unexpected(outbound.error());
  const CarrierKind* kind = registry_.carrier(dialect->traits()->framing);
  auto carrier = kind->open(config.options, loop_);
  if (!carrier)
    return fail(carrier.error().code, "destination " + config.name + ": " + carrier.error().what);
  return std::make_unique<Delivery>(config, lane, std::move(*outbound), std::move(*carrier),
                                    journal_, env_, &outages_.books());
}

Result<void> Agent::ask_upstream(const std::string& name, std::span<const std::string> words,
                                 Operator::Told told) {
  if (OutageWatch* source = outages_.find(name)) return source->command(words, std::move(told));
  for (auto& d : deliveries_)
    if (d->config().name == name) return d->command(words, std::move(told));
  return fail(Errc::refused, "no destination and no source of outages is called " + name);
}

Result<void> Agent::apply_destinations(const Config& config) {
  auto lanes = journal_.lanes(lanes_of(config));
  if (!lanes) return tl::unexpected(lanes.error());

  // Everything new is built before anything old goes, so that a fault changes nothing.
  std::vector<std::unique_ptr<Delivery>> fresh(config.destinations.size());
  auto kept = [&](const std::unique_ptr<Delivery>& old) {
    for (std::size_t i = 0; i < config.destinations.size(); ++i) {
      const DestinationConfig& d = config.destinations[i];
      if (d == old->config() && (*lanes)[i] == old->lane()) return !reads_files(d.options);
    }
    return false;
  };
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const DestinationConfig& d = config.destinations[i];
    bool stands = std::any_of(deliveries_.begin(), deliveries_.end(), [&](const auto& old) {
      return old->config().name == d.name && kept(old);
    });
    if (stands) continue;
    auto built = build(d, (*lanes)[i]);
    if (!built) {
      (void)journal_.lanes(lanes_of(config_));
      return tl::unexpected(built.error());
    }
    fresh[i] = std::move(*built);
  }
  std::vector<std::unique_ptr<Delivery>> old =
      extract_if(deliveries_, [&](const auto& d) { return !kept(d); });
  for (auto& d : old) d->retire();
  append(retired_deliveries_, std::move(old));
  for (auto& d : fresh) {
    if (!d) continue;
    if (!has_predecessor(*d)) d->begin_with_backlog();
    deliveries_.push_back(std::move(d));
  }

  Admission::Options admission{config.agent.text("hostname"),
                               static_cast<std::size_t>(config.limits.integer("max_result"))};
  env_.seed = env_.seed * 6364136223846793005U + 1442695040888963407U;
  intake_.configure(Admission(std::move(admission), env_.seed), router_of(config, *lanes));
  return {};
}

Result<Agent::OpenDoor> Agent::open(const IntakeConfig& config, const Config& whole) {
  OpenDoor d;
  d.door = std::make_unique<Door>(config, registry_, intake_, operator_, env_);
  auto listener = registry_.intake(config.type)->open(config.options, whole.limits, loop_, *d.door);
  if (!listener)
    return fail(listener.error().code, "intake " + config.type + ": " + listener.error().what);
  d.listener = std::move(*listener);
  log(Level::info, "intake open", {{"type", config.type}, {"where", d.listener->where()}});
  return d;
}

std::vector<IntakeConfig> Agent::retire_unwanted(const Config& config) {
  auto unwanted = [&](const OpenDoor& d) {
    return config.limits != config_.limits ||
           std::none_of(config.intakes.begin(), config.intakes.end(),
                        [&](const IntakeConfig& i) { return same_transport(i, d.door->config()); });
  };
  std::vector<OpenDoor> old = extract_if(doors_, unwanted);
  std::vector<IntakeConfig> retired;
  for (OpenDoor& d : old) {
    d.listener->stop();
    retired.push_back(d.door->config());
  }
  append(retired_doors_, std::move(old));
  return retired;
}

Result<void> Agent::apply_intakes(const Config& config, bool strict) {
  const std::vector<IntakeConfig> retired = retire_unwanted(config);
  for (const IntakeConfig& i : config.intakes) {
    auto open_already = std::find_if(doors_.begin(), doors_.end(), [&](const OpenDoor& d) {
      return same_transport(i, d.door->config());
    });
    if (open_already != doors_.end()) {
      open_already->door->configure(i, registry_);
      continue;
    }
    auto opened = open(i, config);
    if (opened) {
      doors_.push_back(std::move(*opened));
      continue;
    }
    if (strict) return tl::unexpected(opened.error());
    log(Level::error, "intake cannot be opened", {{"error", opened.error().what}});
    reopen(i, retired);
  }
  return {};
}

void Agent::reopen(const IntakeConfig& failed, const std::vector<IntakeConfig>& retired) {
  auto before = std::find_if(retired.begin(), retired.end(),
                             [&](const IntakeConfig& old) { return same_place(old, failed); });
  if (before == retired.end()) return;
  auto opened = open(*before, config_);
  if (opened) {
    log(Level::warn, "intake goes on as it was", {{"where", opened->listener->where()}});
    doors_.push_back(std::move(*opened));
  } else {
    log(Level::error, "intake stays closed", {{"error", opened.error().what}});
  }
}

void Agent::bury_retired() {
  std::erase_if(retired_deliveries_, [](const auto& d) { return d->idle(); });
  // Not by erase_if, which would move a door onto another whose listener still refers to it.
  (void)extract_if(retired_doors_, [](const OpenDoor& d) { return d.listener->idle(); });
}

bool Agent::has_predecessor(const Delivery& d) const {
  return std::any_of(retired_deliveries_.begin(), retired_deliveries_.end(),
                     [&](const auto& old) { return old->lane() == d.lane(); });
}

bool Agent::waits_for_predecessor(const Delivery& d) const {
  return std::any_of(retired_deliveries_.begin(), retired_deliveries_.end(),
                     [&](const auto& old) { return old->lane() == d.lane() && !old->idle(); });
}

// What was held for an outage that has gone or changed is asked about anew.
void Agent::free_held() {
  if (std::exchange(outages_version_, outages_.books().version()) == outages_.books().version())
    return;
  for (const auto& d : deliveries_) journal_.free_held(d->lane());
}

void Agent::tick(Instant now) {
  outages_.tick(now);
  free_held();
  beat(now);
  checks_.tick(now);
  freshness_.tick(now);
  for (auto& d : deliveries_)
    if (!waits_for_predecessor(*d)) d->tick(now);
  bury_retired();
}

void Agent::journal_polled() {
  if (!intake_.relieved()) return;
  for (OpenDoor& d : doors_) d.listener->drained();
  for (OpenDoor& d : retired_doors_) d.listener->drained();
}

std::optional<Steady> Agent::deadline(Instant now) const {
  std::optional<Steady> earliest;
  auto note = [&](std::optional<Steady> due) {
    if (due && (!earliest || *due < *earliest)) earliest = due;
  };
  note(outages_.deadline());
  if (heartbeat_) note(heartbeat_->due());
  note(checks_.deadline(now));
  note(freshness_.deadline(now));
  for (const auto& d : deliveries_)
    if (!waits_for_predecessor(*d)) note(d->deadline(now));  // whose end kicks
  return earliest;
}

void Agent::stop() {
  heartbeat_.reset();
  for (OpenDoor& d : doors_) d.listener->stop();
  for (auto& d : deliveries_) d->retire();
  outages_.stop();
  checks_.stop();
  freshness_.stop();
}

bool Agent::stopped() const {
  auto door_idle = [](const OpenDoor& d) { return d.listener->idle(); };
  auto idle = [](const std::unique_ptr<Delivery>& d) { return d->idle(); };
  return checks_.stopped() && std::all_of(doors_.begin(), doors_.end(), door_idle) &&
         std::all_of(retired_doors_.begin(), retired_doors_.end(), door_idle) &&
         std::all_of(deliveries_.begin(), deliveries_.end(), idle) &&
         std::all_of(retired_deliveries_.begin(), retired_deliveries_.end(), idle);
}

void Agent::cancel() {
  checks_.cancel();
  for (auto& d : deliveries_) d->cancel();
  for (auto& d : retired_deliveries_) d->cancel();
}

Status Agent::status() const {
  Status s;
  Instant now = env_.now();
  s.uptime = now.steady - started_.steady;
  s.now = now.wall;
  const JournalStats& journal = journal_.stats();
  s.trouble = trouble_of(journal);
  s.bytes = journal.bytes;
  s.commits = journal.commits;
  if (env_.longest_turn) s.longest_turn = env_.longest_turn();
  s.log_lines_lost = log_lines_lost();
  s.mended = intake_.mended();
  s.accepted = intake_.accepted();
  for (const OpenDoor& d : doors_)
    s.intakes.push_back(
        {d.door->config().type, d.listener->where(), d.door->accepted(), d.door->refused()});
  for (const auto& d : deliveries_) {
    DestinationStatus& out = s.destinations.emplace_back();
    out.name = d->config().name;
    out.type = d->config().type;
    out.state = to_string(d->breaker().state());
    out.insecure = d->config().options.flag("insecure");
    out.lane = journal.lanes[d->lane()];
    out.last_error = d->last_error();
    if (const ReadBack* found = d->read_back_found()) out.read_back = *found;
    if (d->heartbeats().offered()) out.heartbeat = d->heartbeats().counts();
    if (d->troubled()) out.troubled = now.steady - *d->troubled();
    if (out.lane.paused) {
      out.state = "paused";
    } else if (d->breaker().probing()) {
      out.next_attempt = std::max(d->breaker().next_attempt() - now.steady, Duration{});
    } else if (out.lane.held > 0 && out.lane.pending <= out.lane.held) {
      out.state = "held";  // by planned outages, all that there is
    }
  }
  s.outages = outages_.status(now.wall);
  s.checks = checks_.status();
  s.freshness = freshness_.status();
  for (const LaneStats& lane : journal.lanes) {
    bool owes = lane.pending + lane.in_flight + lane.dead > 0;
    if (lane.active || lane.name.empty() || !owes) continue;
    DestinationStatus& out = s.destinations.emplace_back();
    out.name = lane.name;
    out.type = "removed";
    out.state = "held";
    out.last_error = "no longer in the configuration; its results are kept";
    out.lane = lane;
  }
  return s;
}

}  // namespace checkrelay
