#include "agent/flow/outage_watch.h"

#include <algorithm>
#include <utility>

#include "agent/base/log.h"
#include "agent/config/outages.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMostComplaints = 5;  // log lines of one list

std::string seconds_of(Wall t) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch() /
                        std::chrono::seconds(1));
}

}  // namespace

Result<std::unique_ptr<OutageWatch>> OutageWatch::build(const OutagesConfig& config,
                                                        const Registry& registry, Loop& loop,
                                                        OutageBooks& books,
                                                        const Environment& env) {
  if (config.type == kLocalOutages)
    return std::make_unique<OutageWatch>(config, nullptr, nullptr, books, env);
  auto source = registry.dialect(config.type)->outage_source(config.options);
  if (!source) return tl::unexpected(source.error());
  auto carrier = registry.carrier(Framing::http)->open(config.options, loop);
  if (!carrier)
    return fail(carrier.error().code, "outages " + config.name + ": " + carrier.error().what);
  return std::make_unique<OutageWatch>(config, std::move(*source), std::move(*carrier), books, env);
}

OutageWatch::OutageWatch(const OutagesConfig& config, std::unique_ptr<OutageSource> source,
                         std::unique_ptr<Carrier> carrier, OutageBooks& books,
                         const Environment& env)
    : config_(config),
      source_(std::move(source)),
      carrier_(std::move(carrier)),
      books_(books),
      env_(env),
      next_(env.now().steady),
      fresh_(env.now().steady),
      self_(std::make_shared<OutageWatch*>(this)) {
  if (auto reading = outage_reading(config_.options)) reading_ = *reading;
  if (source_) return;
  std::vector<PlannedOutage> one;
  if (auto outage = local_outage(config_)) one.push_back(std::move(*outage));
  publish(std::move(one), {});
}

OutageWatch::~OutageWatch() {
  self_.reset();
  if (carrier_) carrier_->cancel();
}

void OutageWatch::stop() {
  stopped_ = true;
  if (carrier_) carrier_->cancel();
}

void OutageWatch::tick(Instant now) {
  if (!source_ || stopped_) return;
  if (!fetching_ && next_ <= now.steady) fetch();
  if (stale_ || now.steady < fresh_ + config_.options.duration("max_stale")) return;
  stale_ = true;
  publish({}, {});
  log(Level::error, "outages: the last list is too old; nothing is marked or held for now",
      {{"source", config_.name},
       {"max_stale", format_duration(config_.options.duration("max_stale"))}});
}

std::optional<Steady> OutageWatch::deadline() const {
  if (!source_ || stopped_) return std::nullopt;
  std::optional<Steady> due;
  if (!fetching_) due = next_;
  const Steady stale = fresh_ + config_.options.duration("max_stale");
  if (!stale_ && (!due || stale < *due)) due = stale;
  return due;
}

void OutageWatch::fetch() {
  fetching_ = true;
  auto list = std::make_shared<OutageList>();
  carrier_->carry(source_->fetch(list),
                  [self = std::weak_ptr(self_), list](const std::vector<Verdict>& verdicts) {
                    if (auto alive = self.lock()) (*alive)->fetched(*list, verdicts);
                  });
}

void OutageWatch::fetched(const OutageList& list, const std::vector<Verdict>& verdicts) {
  const Instant now = env_.now();
  fetching_ = false;
  next_ = now.steady + config_.options.duration("refresh");
  const bool good = !verdicts.empty() && verdicts.front().judgement == Judgement::delivered;
  if (stopped_) return;
  if (good) {
    take(list, now);
  } else {
    missed(verdicts.empty() ? "no answer" : verdicts.front().answer, now);
  }
  env_.kick();
}

void OutageWatch::take(const OutageList& list, Instant now) {
  if (away_) log(Level::info, "outages: the list is there again", {{"source", config_.name}});
  fresh_ = now.steady;
  away_ = stale_ = false;
  publish(list.outages, list.complaints);
}

void OutageWatch::missed(const std::string& why, Instant) {
  if (std::exchange(away_, true)) return;
  log(Level::warn, "outages: the list cannot be had; the last one counts for a while",
      {{"source", config_.name},
       {"error", why},
       {"max_stale", format_duration(config_.options.duration("max_stale"))}});
}

void OutageWatch::publish(std::vector<PlannedOutage> outages, std::vector<std::string> complaints) {
  const OutageBook* present = books_.book(config_.name);
  if (source_ && present && present->all() == outages && complaints == complaints_ &&
      present->effect() == reading_.effect)
    return;
  std::vector<std::string> told = complaints;
  auto book = std::make_shared<const OutageBook>(std::move(outages), reading_, &told);
  complaints_ = std::move(complaints);
  books_.set(config_.name, std::move(book));
  for (std::size_t i = 0; i < std::min(told.size(), kMostComplaints); ++i)
    log(Level::warn, "outages: one is left out", {{"source", config_.name}, {"why", told[i]}});
  if (told.size() > kMostComplaints)
    log(Level::warn, "outages: more are left out",
        {{"source", config_.name}, {"count", std::to_string(told.size() - kMostComplaints)}});
}

Result<void> OutageWatch::command(std::span<const std::string> words, Told done) {
  if (!source_) return fail(Errc::invalid, "a local outage has no upstream");
  auto report = std::make_shared<CommandReport>();
  auto conversation = source_->command(words, report);
  if (!conversation) return tl::unexpected(conversation.error());
  carrier_->carry(std::move(*conversation),
                  [self = std::weak_ptr(self_), report, done = std::move(done)](const auto&) {
                    if (auto alive = self.lock()) (*alive)->next_ = (*alive)->env_.now().steady;
                    done(*report);
                    if (auto alive = self.lock()) (*alive)->env_.kick();
                  });
  return {};
}

std::vector<KnownOutage> known_outages(const OutageBooks& books, Wall now) {
  std::vector<KnownOutage> known;
  for (const auto& [name, book] : books.all()) {
    for (const PlannedOutage& o : book->all()) {
      KnownOutage& k = known.emplace_back();
      k.outage = o;
      k.current = book->window_at(o, now).has_value();
      if (auto once = book->once(o)) {
        k.outage.start = seconds_of(once->start);
        k.outage.end = seconds_of(once->end);
      }
    }
  }
  return known;
}

}  // namespace checkrelay
