// What every conversation with an Opsview server begins with: the API's version, the login, and a
// second login where the token is no longer taken. The version is looked at with each login, since
// only a server that was restarted can have changed it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/port/conversation.h"
#include "plugins/dialects/opsview/conversations.h"
#include "plugins/dialects/opsview/session.h"

namespace checkrelay::opsview {

class Talk : public Conversation {
 public:
  Talk(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session);
  ~Talk() override;
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  void start(Instant now, Actions& out) override { advance(now, out); }
  void receive(Message in, Instant now, Actions& out) override;
  void finish(Instant now, Actions& out) final;
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) final {}
  [[nodiscard]] std::optional<Steady> deadline() const final { return waiting_; }
  void expire(Instant now, Actions& out) final;

 protected:
  // Signed in: asks for the next thing, or ends. Called again after a second login, for the same.
  virtual void proceed(Instant now, Actions& out) = 0;
  // The answer to what proceed() asked for; never one that says that the token has expired.
  virtual void heard(Answer answer, Instant now, Actions& out) = 0;
  // No more can be done: gives what is left its verdict, and closes.
  virtual void end(const Verdict& verdict, Actions& out) = 0;

  void advance(Instant now, Actions& out);  // signs in first where that is needed
  void ask(Message request, Actions& out);  // with the token
  [[nodiscard]] Verdict verdict(const Answer& answer) const;
  [[nodiscard]] Verdict verdict(Judgement j, std::string_view words,
                                std::optional<Duration> pause = std::nullopt) const;
  void confirmed() { renewed_ = false; }  // this login was good for something
  [[nodiscard]] const Settings& settings() const { return *settings_; }
  [[nodiscard]] Session& session() { return *session_; }
  [[nodiscard]] const Session& session() const { return *session_; }

 private:
  enum class Step { idle, version, login, asked };
  void take_version(const Answer& answer, Instant now, Actions& out);
  void take_login(const Answer& answer, Instant now, Actions& out);
  void take(Answer answer, Instant now, Actions& out);
  void login_failed(Verdict verdict, Actions& out);
  void wait(Instant now);

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_;
  Step step_ = Step::idle;
  Secret used_{};          // the token of the request under way
  bool renewed_ = false;   // by a login that nothing was confirmed with yet
  unsigned failures_ = 0;  // of the session, when waiting began
  std::optional<Steady> waiting_{};
};

}  // namespace checkrelay::opsview
