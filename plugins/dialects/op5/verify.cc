#include "plugins/dialects/op5/verify.h"

#include <algorithm>

#include "agent/base/log.h"
#include "plugins/dialects/answer.h"

namespace checkrelay::op5 {
namespace {

constexpr std::size_t kMostNameBytes = 1500;  // in one question: encoded, they triple at most

std::string name_of(const Subject& s) { return s.is_host() ? s.host : s.host + ";" + s.service; }

std::size_t name_bytes(const Subject& s) { return s.host.size() + s.service.size(); }

// The server's clock when the command cannot have come in yet; none where it tells no time.
std::optional<std::int64_t> not_earlier(const Message& answer, Duration took) {
  using std::chrono::ceil, std::chrono::floor, std::chrono::seconds;
  const std::string* date = answer.header("Date");
  const auto there = date ? parse_http_date(*date) : std::nullopt;
  if (!there) return std::nullopt;
  return floor<seconds>(there->time_since_epoch()).count() - ceil<seconds>(took).count() - kSlack;
}

class ReadingBack : public Conversation {
 public:
  ReadingBack(const Settings& settings, std::shared_ptr<Verifier> verifier,
              std::vector<Sample> samples)
      : settings_(settings), verifier_(std::move(verifier)), samples_(std::move(samples)) {}

  void start(Instant, Actions& out) override {
    std::vector<Subject> subjects;
    for (const Sample& s : samples_) subjects.push_back(s.subject);
    Message m = Message::request("GET", objects_url(settings_.url, subjects));
    m.headers = {{"Accept", "application/json"}};
    if (!settings_.login.user.empty()) m.credentials = settings_.login;
    out.send.push_back(std::move(m));
  }
  void receive(Message in, Instant now, Actions& out) override {
    if (samples_.empty()) return;
    const bool good = in.kind == Message::Kind::response && in.status == 200;
    auto there = good ? parse_objects(in.body, samples_.front().subject.is_host())
                      : fail(Errc::unavailable,
                             checkrelay::op5::judge(in, settings_.login, now.wall).answer);
    if (there) {
      verifier_->judge(samples_, *there);
    } else {
      verifier_->missed(samples_, presentable(there.error().what, settings_.login), now);
    }
    samples_.clear();
    out.close = true;
  }
  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  Settings settings_;
  std::shared_ptr<Verifier> verifier_;
  std::vector<Sample> samples_;
};

}  // namespace

void Verifier::confirmed(const Subject& subject, const Message& answer, Steady sent, Instant now) {
  if (waiting_.size() >= kMostWaiting) return;
  const bool waits = std::any_of(waiting_.begin(), waiting_.end(),
                                 [&](const Sample& s) { return s.subject == subject; });
  if (!waits) waiting_.push_back({subject, not_earlier(answer, now.steady - sent), now.steady});
}

std::optional<Steady> Verifier::due() const {
  if (waiting_.empty()) return std::nullopt;
  return std::max(not_before_, Steady(waiting_.front().at + kSettle));
}

std::vector<Sample> Verifier::next(Instant now) {
  std::vector<Sample> taken, left;
  std::size_t bytes = 0;
  const bool hosts = waiting_.front().subject.is_host();
  for (Sample& s : waiting_) {
    const bool fits =
        taken.empty() || (taken.size() < kMostObjects && s.at + kSettle / 2 <= now.steady &&
                          bytes + name_bytes(s.subject) <= kMostNameBytes);
    const bool take = fits && s.subject.is_host() == hosts;
    if (take) bytes += name_bytes(s.subject);
    (take ? taken : left).push_back(std::move(s));
  }
  waiting_ = std::move(left);
  not_before_ = now.steady + kEvery;
  return taken;
}

void Verifier::judge(const std::vector<Sample>& samples, const std::vector<Object>& there) {
  away_ = false;
  for (const Sample& sample : samples) {
    auto object = std::find_if(there.begin(), there.end(),
                               [&](const Object& o) { return o.subject == sample.subject; });
    const bool seen = object != there.end();
    const bool timed = seen && object->last_check && sample.since;
    if (seen && object->passive == false) {
      lost(sample, "passive checks of it are off there");
    } else if (timed && *object->last_check < *sample.since) {
      lost(sample, "its last check there is older than the result");
    } else {
      timed ? well(sample) : static_cast<void>(++found_.unclear);
    }
  }
}

void Verifier::lost(const Sample& sample, std::string_view why) {
  ++found_.not_applied;
  const std::string name = name_of(sample.subject);
  found_.last = presentable(name + ": " + std::string(why), {});
  if (told_.size() >= kMostTold || !told_.insert(name).second) return;
  log(Level::warn, "result was accepted and not applied",
      {{"destination", destination_},
       {"host", sample.subject.host},
       {"service", sample.subject.service},
       {"why", why}});
}

void Verifier::well(const Sample& sample) {
  ++found_.applied;
  told_.erase(name_of(sample.subject));
}

void Verifier::missed(const std::vector<Sample>& samples, const std::string& why, Instant now) {
  found_.unclear += samples.size();
  not_before_ = now.steady + kAfterMiss;
  if (std::exchange(away_, true)) return;
  log(Level::warn, "results cannot be read back", {{"destination", destination_}, {"answer", why}});
}

std::unique_ptr<Conversation> make_read_back(const Settings& settings,
                                             std::shared_ptr<Verifier> verifier,
                                             std::vector<Sample> samples) {
  return std::make_unique<ReadingBack>(settings, std::move(verifier), std::move(samples));
}

}  // namespace checkrelay::op5
