// A destination and its conversations, answered by hand, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "plugins/dialects/opsview/dialect.h"

namespace checkrelay::opsview {

inline Options options(const std::string& form = "detail") {
  Options o;
  o.set("name", std::string("central"));
  o.set("url", std::string("https://m.example.com"));
  o.set("username", std::string("relay"));
  o.set("password", Secret("hunter2"));
  o.set("submit", form);
  o.set("text_limit", 16384LL);
  return o;
}

inline CheckResult result(std::string host, std::string service = "Backup") {
  CheckResult r;
  r.subject = {std::move(host), std::move(service)};
  r.output = "fine";
  return r;
}

inline constexpr const char* kVersions = R"({"api_version":"6.008","api_min_version":"2.000"})";
inline constexpr const char* kToken = R"({"token":"0123456789abcdef0123456789abcdef01234567"})";
inline constexpr const char* kRunning =
    R"({"server_status":"0","configuration_status":"uptodate","average_duration":"30","lastupdated":"1","messages":[]})";
inline constexpr const char* kReloading =
    R"({"server_status":"1","configuration_status":"uptodate","average_duration":"40","lastupdated":"1","messages":[]})";
inline constexpr const char* kSuccess = R"({"success":"1"})";
inline constexpr const char* kNoObjects = R"({"message":"No objects chosen"})";

// One conversation, with what it has said so far.
struct Exchange {
  std::unique_ptr<Conversation> conversation{};
  std::vector<Message> asked{};
  std::vector<Verdict> verdicts{};
  bool closed = false;

  void take(Actions out) {
    for (Message& m : out.send) asked.push_back(std::move(m));
    for (Verdict& v : out.verdicts) verdicts.push_back(std::move(v));
    closed = closed || out.close;
  }
  // "GET /rest/reload" of the newest request.
  [[nodiscard]] std::string last() const {
    if (asked.empty()) return "nothing";
    std::string target = asked.back().target;
    target.erase(0, std::string("https://m.example.com").size());
    return asked.back().method + " " + target;
  }
};

class Server : public testing::Test {
 protected:
  Exchange open(const std::vector<CheckResult>& batch) {
    Exchange e;
    e.conversation = outbound->open(batch);
    Actions out;
    e.conversation->start(now, out);
    e.take(std::move(out));
    return e;
  }
  void answer(Exchange& e, int status, std::string body) const {
    ASSERT_FALSE(e.closed);
    Actions out;
    e.conversation->receive(Message::response(status, std::move(body), "application/json"), now,
                            out);
    e.take(std::move(out));
  }
  void expire(Exchange& e) const {
    Actions out;
    e.conversation->expire(now, out);
    e.take(std::move(out));
  }
  // Versions, login, reload.
  void let_in(Exchange& e) const {
    answer(e, 200, kVersions);
    answer(e, 200, kToken);
    answer(e, 200, kRunning);
  }
  void use(const std::string& form) {
    outbound = std::move(opsview_dialect().outbound(options(form)).value());
  }
  void pass(Duration d) { now.steady += d; }

  std::unique_ptr<Outbound> outbound = std::move(opsview_dialect().outbound(options()).value());
  Instant now{Steady(std::chrono::hours(1)), Wall(std::chrono::hours(24 * 365 * 50))};
};

inline std::string object(const std::string& host, const std::string& service = "Backup") {
  return R"({"object":{"hostname":")" + host + R"(","servicename":")" + service + R"("}})";
}

}  // namespace checkrelay::opsview
