#include "agent/flow/door.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "agent/flow/http_door.h"
#include "agent/flow/operator.h"

namespace checkrelay {
namespace {

std::vector<User> users_of(const IntakeConfig& config) {
  std::vector<User> users;
  for (const UserConfig& u : config.users) users.push_back({u.name, u.password, u.hosts});
  return users;
}

// 160 bits of the kernel's, which does not fail once it is up.
std::string random_token() {
  std::array<unsigned char, 20> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    std::abort();
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace

Door::Door(const IntakeConfig& config, const Registry& registry, Intake& intake, Operator& oper,
           const Environment& env)
    : access_(std::make_shared<Access>()),
      logins_(std::make_shared<TokenTable>(access_, random_token)),
      intake_(intake),
      operator_(oper),
      env_(env) {
  configure(config, registry);
}

void Door::configure(const IntakeConfig& config, const Registry& registry) {
  config_ = config;
  *access_ = Access(users_of(config));
  dialects_.clear();
  for (const Dialect* d : registry.dialects)  // the table's order: the more particular ones first
    if (std::find(config.dialects.begin(), config.dialects.end(), d->name()) !=
        config.dialects.end())
      dialects_.push_back(d);
}

std::unique_ptr<Conversation> Door::accept(const Peer&, const InboundContext& context,
                                           std::string& why) {
  if (context.framing == Framing::http) {
    InboundContext knowing = context;
    knowing.outages = env_.outages;
    return std::make_unique<HttpDoor>(std::move(knowing), access_, dialects_,
                                      intake_.default_host(), logins_);
  }
  for (const Dialect* d : dialects_)
    if (auto conversation = d->inbound(context)) return conversation;
  why = "none of this intake's dialects can read it";
  return nullptr;
}

void Door::submit(const Peer&, Submission submission,
                  std::function<void(std::vector<Outcome>)> done) {
  intake_.note_mended(submission.mended);
  intake_.submit(std::move(submission.results), env_.now(),
                 [counters = counters_, done = std::move(done)](std::vector<Outcome> outcomes) {
                   for (const Outcome& o : outcomes)
                     ++(o.ok ? counters->accepted : counters->refused);
                   done(std::move(outcomes));
                 });
}

void Door::inquire(const Peer& peer, Message request, std::function<void(Message)> done) {
  operator_.answer(peer, request, std::move(done));
}

void Door::refused(const Peer& peer, std::span<const Refusal> refusals) {
  counters_->refused += refusals.size();
  std::uint64_t suppressed = 0;
  if (refusals.empty() || !gate_.open(env_.now(), suppressed)) return;
  const Refusal& r = refusals.front();
  // Where there are no lines the number would only mislead.
  const std::string what = r.line > 0 ? fmt::format("line {}: {}", r.line, r.what) : r.what;
  log(Level::warn, "result refused",
      {{"intake", config_.type},
       {"peer", peer.where},
       {"error", what},
       {"not_logged", suppressed}});
}

}  // namespace checkrelay
