// A conversation with the outages API: logs in where there is no session, once more where it is no
// longer good, and leaves the rest to those who derive from it.
#pragma once

#include <memory>

#include "agent/port/conversation.h"
#include "plugins/dialects/opmantek/jar.h"
#include "plugins/dialects/opmantek/wire.h"

namespace checkrelay::opmantek {

// What the conversations of a source share.
struct Session {
  Jar jar{};
  bool open = false;
};

class Talk : public Conversation {
 public:
  Talk(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session)
      : settings_(std::move(settings)), session_(std::move(session)) {}

  void start(Instant now, Actions& out) override;
  void receive(Message in, Instant now, Actions& out) override;
  void finish(Instant now, Actions& out) override;
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 protected:
  // The session is (believed to be) there: ask what there is to ask. Called again after a login
  // that became necessary: what was not answered is asked again.
  virtual void proceed(Actions& out) = 0;
  // An answer that is not about the session.
  virtual void heard(const Message& answer, const Sense& sense, Instant now, Actions& out) = 0;

  void ask(Message request, Actions& out);
  void end(Judgement judgement, std::string words, Actions& out);
  void end(const Message& answer, const Sense& sense, Instant now, Actions& out);
  [[nodiscard]] std::string shown(std::string_view words) const;  // without secrets
  [[nodiscard]] const Settings& settings() const { return *settings_; }

 private:
  void log_in(Actions& out);
  static bool is_odd(const Message& answer, const Actions& out);
  void take_login(const Message& answer, const Sense& sense, Instant now, Actions& out);
  [[nodiscard]] static bool wants_login(const Message& answer, const Sense& sense);

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_;
  bool logging_in_ = false;
  bool fresh_ = false;  // the session was made by this conversation
  bool over_ = false;
};

}  // namespace checkrelay::opmantek
