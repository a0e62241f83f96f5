// One HTTP connection, seen as a conversation: says who asks, gives each request to the dialect
// that owns its path, and what nobody owns to the operator (Actions::inquire). One request at a
// time, as the transport guarantees.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "agent/policy/access.h"
#include "agent/policy/logins.h"
#include "agent/port/conversation.h"
#include "agent/port/dialect.h"

namespace checkrelay {

class HttpDoor : public Conversation {
 public:
  // `access` and `logins` are shared with the door, so that a reload is seen by connections that
  // are open. Without `logins` no dialect can log anybody in.
  HttpDoor(InboundContext context, std::shared_ptr<const Access> access,
           std::vector<const Dialect*> dialects, std::string default_host,
           std::shared_ptr<TokenTable> logins = nullptr);

  void start(Instant, Actions&) override {}
  void receive(Message in, Instant now, Actions& out) override;
  void finish(Instant now, Actions& out) override;
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant now, Actions& out) override;
  void answer(Ticket ticket, Message response, Instant now, Actions& out) override;
  [[nodiscard]] std::optional<Steady> deadline() const override;
  void expire(Instant now, Actions& out) override;

 private:
  [[nodiscard]] const User* identify(const Message& in, const Dialect* owner, Instant now,
                                     std::string& why) const;
  // Takes out of the submissions from `first` on what this user may not speak for.
  void withhold(Actions& out, std::size_t first);

  InboundContext context_;
  std::shared_ptr<const Access> access_;
  std::vector<const Dialect*> dialects_;
  std::string default_host_;  // of results that name none: a grant must cover it too
  std::shared_ptr<TokenTable> logins_;
  std::unique_ptr<Conversation> inner_;
  std::optional<User> user_;  // of the present request; none where the door is open
  std::map<Ticket, std::vector<Outcome>> withheld_;  // one a result; ok = it went on
};

}  // namespace checkrelay
