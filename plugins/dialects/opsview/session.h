// What the conversations of one destination share: the token, what is known of the server's reload,
// and which objects it has shown. Pure; steady time for ages alone. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "agent/base/secret.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/port/verdict.h"
#include "plugins/dialects/opsview/wire.h"

namespace checkrelay::opsview {

// A token lives for an hour after its last successful use; what is nearly that old is not tried.
constexpr auto kTokenLife = std::chrono::minutes(59);
constexpr auto kReloadPoll = std::chrono::seconds(30);    // how often a server that runs is asked
constexpr auto kUsualReload = std::chrono::seconds(30);   // where the server does not say
constexpr auto kLongestReload = std::chrono::minutes(5);  // no server holds us for longer at once
constexpr auto kSettling = std::chrono::seconds(60);  // at least: a new object takes time to appear
// So long objects are trusted to be there where reloads cannot be seen.
constexpr auto kTrust = std::chrono::minutes(10);
constexpr std::size_t kMostObjects = 100'000;  // remembered at once

class Session {
 public:
  // --- The token. One conversation logs in at a time; the others wait for what comes of it.
  [[nodiscard]] bool signed_in(Steady now) const;
  [[nodiscard]] const Secret& token() const { return token_; }
  [[nodiscard]] bool signing_in() const { return signing_in_; }
  void begin_login() { signing_in_ = true; }
  void end_login() { signing_in_ = false; }  // without an outcome: whoever waits tries
  void accept(Secret token, Steady now);
  void fail(const Verdict& verdict);
  [[nodiscard]] unsigned failures() const { return failures_; }
  [[nodiscard]] const Verdict& failure() const { return failure_; }
  void used(Steady now) { last_use_ = now; }
  void drop(const Secret& token);  // where it is still the one

  // --- The reload.
  [[nodiscard]] bool wants_reload_status(Steady now) const;
  [[nodiscard]] bool can_see_reload() const { return !reload_hidden_; }
  void hide_reload(Steady now);  // this user may not see it, or there is none
  // How the server is; `status` of GET /rest/reload.
  void note(const ReloadStatus& status, Steady now);
  void note_reloading(Steady now);  // a 409 said so
  [[nodiscard]] const ReloadStatus& reload() const { return reload_; }
  // How long to wait before asking again; half of what a reload takes, since what an upstream asks
  // for is prolonged by up to as much.
  [[nodiscard]] Duration hold() const;
  // A reload runs, or ended so lately that an object may still be missing.
  [[nodiscard]] bool unsettled(Steady now) const;

  // --- Objects that a lookup has shown. Servers before 6 have no lookup.
  [[nodiscard]] bool can_look_up() const { return !lookup_hidden_; }
  void hide_lookup() { lookup_hidden_ = true; }
  [[nodiscard]] bool knows(const Subject& subject, Steady now) const;
  void remember(const Subject& subject, Steady now);
  void forget(const Subject& subject);

 private:
  void reloaded(Steady now);
  [[nodiscard]] bool outdated(Steady now) const;
  [[nodiscard]] Duration duration() const;

  Secret token_{};
  Steady last_use_{};
  bool signing_in_ = false;
  unsigned failures_ = 0;
  Verdict failure_{};
  ReloadStatus reload_{};
  std::optional<Steady> asked_{};
  bool reload_hidden_ = false;
  bool lookup_hidden_ = false;
  bool reloading_ = false;
  std::optional<Steady> settled_{};  // when objects can be trusted to be there
  std::unordered_set<std::string> objects_;
  Steady learned_{};  // the first of them
};

}  // namespace checkrelay::opsview
