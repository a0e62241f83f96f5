// An intake's upper half: admits peers, chooses the dialect, counts. One a configured intake. Loop
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/log.h"
#include "agent/config/config.h"
#include "agent/flow/environment.h"
#include "agent/flow/intake.h"
#include "agent/policy/access.h"
#include "agent/policy/logins.h"
#include "agent/port/registry.h"
#include "agent/port/transport.h"

namespace checkrelay {

class Operator;

class Door : public Receiver {
 public:
  // What `config` names must exist in `registry`. All references must outlive the door.
  Door(const IntakeConfig& config, const Registry& registry, Intake& intake, Operator& oper,
       const Environment& env);
  void configure(const IntakeConfig& config,
                 const Registry& registry);  // dialects and users; the transport stays

  [[nodiscard]] std::unique_ptr<Conversation> accept(const Peer& peer,
                                                     const InboundContext& context,
                                                     std::string& why) override;
  void submit(const Peer& peer, Submission submission,
              std::function<void(std::vector<Outcome>)> done) override;
  void inquire(const Peer& peer, Message request, std::function<void(Message)> done) override;
  void refused(const Peer& peer, std::span<const Refusal> refusals) override;
  [[nodiscard]] bool congested() const override { return intake_.congested(); }

  [[nodiscard]] const IntakeConfig& config() const { return config_; }
  [[nodiscard]] std::uint64_t accepted() const { return counters_->accepted; }
  [[nodiscard]] std::uint64_t refused() const { return counters_->refused; }

 private:
  struct Counters {  // outlive the door in callbacks of results that are on their way
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
  };

  IntakeConfig config_;
  std::vector<const Dialect*> dialects_;
  std::shared_ptr<Access> access_;
  std::shared_ptr<TokenTable> logins_;
  Intake& intake_;
  Operator& operator_;
  const Environment& env_;
  std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  LogGate gate_;
};

}  // namespace checkrelay
