#include "agent/flow/outage_watch.h"

#include <algorithm>
#include <utility>

#include "agent/base/log.h"
#include "agent/config/outages.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostComplaints = 5;  // log lines of one list
// What is over counts for results that come late. NMIS itself forgets after a day.
constexpr Duration kRemembered = 7 * 24h;
constexpr Duration kLongestNap = 24h;  // between looks at what is over: the wall clock may jump
constexpr Duration kLongestWish = 1h;  // a server that asks to wait does not silence us for longer
constexpr Duration kClockSlack = 5min;

}  // namespace

Result<std::unique_ptr<OutageWatch>> OutageWatch::build(const OutagesConfig& config,
                                                        const Registry& registry, Loop& loop,
                                                        const Shelf& shelf) {
  if (config.type == kLocalOutages)
    return std::make_unique<OutageWatch>(config, nullptr, nullptr, shelf);
  auto source = registry.dialect(config.type)->outage_source(config.options);
  if (!source) return tl::unexpected(source.error());
  auto carrier = registry.carrier(Framing::http)->open(config.options, loop);
  if (!carrier)
    return fail(carrier.error().code, "outages " + config.name + ": " + carrier.error().what);
  return std::make_unique<OutageWatch>(config, std::move(*source), std::move(*carrier), shelf);
}

OutageWatch::OutageWatch(const OutagesConfig& config, std::unique_ptr<OutageSource> source,
                         std::unique_ptr<Carrier> carrier, const Shelf& shelf)
    : config_(config),
      source_(std::move(source)),
      carrier_(std::move(carrier)),
      shelf_(shelf),
      self_(std::make_shared<OutageWatch*>(this)) {
  if (auto reading = outage_reading(config_.options)) reading_ = *reading;
  if (source_) max_stale_ = config_.options.duration("max_stale");
}

OutageWatch::~OutageWatch() {
  self_.reset();
  if (carrier_) carrier_->cancel();
}

void OutageWatch::begin() {
  const Instant now = shelf_.env.now();
  next_ = now.steady;
  if (!source_) {
    std::vector<PlannedOutage> one;
    if (auto outage = local_outage(config_)) one.push_back(std::move(*outage));
    return publish(std::move(one), {});
  }
  const KeptOutages* kept = shelf_.store.find(config_.name, config_.type);
  if (kept) begin_with(*kept, now);
  if (!listed_) publish({}, {});
}

void OutageWatch::begin_with(const KeptOutages& kept, Instant now) {
  const Duration age = now.wall - kept.fetched;
  const bool ahead = age < -kClockSlack;
  if (!ahead) fetched_ = kept.fetched;
  if (!ahead && age < max_stale_) {
    listed_ = now.steady - std::max(age, Duration{});
    return publish(kept.outages, {});
  }
  log(Level::warn, "outages: the list that was kept does not count",
      {{"source", config_.name},
       {"fetched", format_rfc3339(kept.fetched)},
       {"why", ahead ? "that is in the future" : "it is older than max_stale"}});
}

void OutageWatch::stop() {
  stopped_ = true;
  if (carrier_) carrier_->cancel();
}

void OutageWatch::tick(Instant now) {
  if (stopped_) return;
  if (purge_ && *purge_ <= now.steady) publish(book_->all(), complaints_);
  if (!source_) return;
  if (!fetching_ && next_ <= now.steady) fetch();
  if (const auto stale = stale_at(); stale && *stale <= now.steady) expire(now);
}

std::optional<Steady> OutageWatch::stale_at() const {
  return listed_ ? std::optional<Steady>(*listed_ + max_stale_) : std::nullopt;
}

void OutageWatch::expire(Instant) {
  listed_.reset();
  publish({}, {});
  log(Level::error, "outages: the last list is too old; nothing is marked or held for now",
      {{"source", config_.name}, {"max_stale", format_duration(max_stale_)}});
}

std::optional<Steady> OutageWatch::deadline() const {
  std::optional<Steady> due;
  auto note = [&](std::optional<Steady> t) {
    if (t && (!due || *t < *due)) due = t;
  };
  if (stopped_) return due;
  note(purge_);
  note(stale_at());
  if (source_ && !fetching_) note(next_);
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

void OutageWatch::fetched(OutageList& list, const std::vector<Verdict>& verdicts) {
  const Instant now = shelf_.env.now();
  fetching_ = false;
  const Duration wish =
      verdicts.empty() ? Duration{} : verdicts.front().retry_after.value_or(Duration{});
  next_ = now.steady + std::max(config_.options.duration("refresh"), std::min(wish, kLongestWish));
  const bool good = !verdicts.empty() && verdicts.front().judgement == Judgement::delivered;
  if (stopped_) return;
  if (good) {
    take(list, now);
  } else {
    missed(verdicts.empty() ? "no answer" : verdicts.front().answer);
  }
  shelf_.env.kick();
}

void OutageWatch::take(OutageList& list, Instant now) {
  if (away_) log(Level::info, "outages: the list is there again", {{"source", config_.name}});
  listed_ = now.steady;
  fetched_ = now.wall;
  away_ = false;
  last_error_.clear();
  publish(std::move(list.outages), std::move(list.complaints));
  shelf_.store.put({config_.name, config_.type, now.wall, book_->all()}, max_stale_ / 100);
}

void OutageWatch::missed(const std::string& why) {
  last_error_ = why;
  if (std::exchange(away_, true)) return;
  log(Level::warn,
      listed_ ? "outages: the list cannot be had; the last one counts for a while"
              : "outages: the list cannot be had; nothing is marked or held for now",
      {{"source", config_.name}, {"error", why}, {"max_stale", format_duration(max_stale_)}});
}

void OutageWatch::publish(std::vector<PlannedOutage> outages, std::vector<std::string> complaints) {
  const Instant now = shelf_.env.now();
  const auto over = drop_over(outages, reading_, now.wall - kRemembered);
  purge_.reset();
  if (over)
    purge_ = now.steady + std::clamp<Duration>(*over + kRemembered - now.wall, 1s, kLongestNap);
  if (book_ && book_->all() == outages && complaints == complaints_) return;
  std::vector<std::string> told = complaints;
  book_ = std::make_shared<const OutageBook>(std::move(outages), reading_, &told);
  shelf_.books.set(config_.name, book_);
  complaints_ = std::move(complaints);
  left_out_ = told.size();
  for (std::size_t i = 0; i < std::min(told.size(), kMostComplaints); ++i)
    log(Level::warn, "outages: one is left out", {{"source", config_.name}, {"why", told[i]}});
  if (told.size() > kMostComplaints)
    log(Level::warn, "outages: more are left out",
        {{"source", config_.name}, {"count", told.size() - kMostComplaints}});
}

OutagesStatus OutageWatch::status(Wall now) const {
  OutagesStatus s;
  s.name = config_.name;
  s.type = config_.type;
  s.effect = config_.options.text("effect");
  s.last_error = last_error_;
  if (fetched_ != Wall{}) s.fetched = fetched_;
  s.state = !source_   ? "ok"
            : !listed_ ? (fetched_ == Wall{} && !away_ ? "new" : "stale")
            : away_    ? "away"
                       : "ok";
  s.left_out = left_out_;
  if (!book_) return s;
  s.outages = book_->all().size();
  s.in_force = book_->in_force(now);
  return s;
}

Result<void> OutageWatch::command(std::span<const std::string> words, Told done) {
  if (!source_) return fail(Errc::invalid, "a local outage has no upstream");
  auto report = std::make_shared<CommandReport>();
  auto conversation = source_->command(words, report);
  if (!conversation) return tl::unexpected(conversation.error());
  carrier_->carry(std::move(*conversation),
                  [self = std::weak_ptr(self_), report, done = std::move(done)](const auto&) {
                    if (auto alive = self.lock())
                      (*alive)->next_ = (*alive)->shelf_.env.now().steady;
                    done(*report);
                    if (auto alive = self.lock()) (*alive)->shelf_.env.kick();
                  });
  return {};
}

}  // namespace checkrelay
