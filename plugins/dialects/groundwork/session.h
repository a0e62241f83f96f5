// The login that a destination's conversations share. The server ends all tokens of everybody once
// too many live, so there is one a destination, and one login at a time.
#pragma once

#include <memory>
#include <optional>

#include "agent/port/conversation.h"
#include "plugins/dialects/groundwork/conversations.h"

namespace checkrelay::groundwork {

class Session {
 public:
  [[nodiscard]] const Secret& token() const { return token_; }
  // What `bad` was is no token any more; another one that came since stays.
  void discard(const Secret& bad) {
    if (token_ == bad) token_ = Secret{};
  }

 private:
  friend class Entrance;
  Secret token_{};
  bool asking_ = false;               // a conversation is logging in
  unsigned attempts_ = 0;             // logins that ended, either way
  std::optional<Verdict> failure_{};  // of the last one, where it brought no token
};

// A request with the session's headers.
[[nodiscard]] Message signed_request(const Settings& settings, const Secret& token,
                                     const std::string& target, std::string body);
// Where a batch goes, below the API's root.
[[nodiscard]] std::string batch_target(const Settings& settings, bool hosts);
// An operator's request, whose target is below the API's root: signed, and answered in JSON unless
// it has a body, which is in the destination's format.
[[nodiscard]] Message signed_command(const Settings& settings, const Secret& token,
                                     Message request);
[[nodiscard]] Message logout_request(const Settings& settings, const Secret& token);

// One conversation's way to a token: takes the one that is there, asks for one, or waits for
// another conversation that does, and shares its failure.
class Entrance {
 public:
  enum class State { outside, asking, waiting, inside, refused };
  Entrance(const Settings& settings, std::shared_ptr<Session> session)
      : settings_(settings), session_(std::move(session)) {}
  ~Entrance();  // a conversation that ends while it asks lets another one ask
  Entrance(const Entrance&) = delete;
  Entrance& operator=(const Entrance&) = delete;

  void enter(Instant now, Actions& out);  // from outside, inside or refused
  void receive(const Message& answer, Instant now, Actions& out);  // asking
  void expire(Instant now, Actions& out);
  [[nodiscard]] std::optional<Steady> deadline() const { return look_again_; }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Verdict& refusal() const { return refusal_; }  // refused; item 0
  [[nodiscard]] bool logged_in() const { return logged_in_; }  // the token is of a login of its own

 private:
  void ask(std::string_view accept, Actions& out);
  void conclude();

  const Settings& settings_;
  std::shared_ptr<Session> session_;
  State state_ = State::outside;
  Verdict refusal_{};
  bool logged_in_ = false;
  bool asked_for_xml_ = false;
  unsigned attempts_seen_ = 0;
  std::optional<Steady> look_again_{};
};

}  // namespace checkrelay::groundwork
