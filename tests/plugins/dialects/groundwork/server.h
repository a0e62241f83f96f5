// A GroundWork destination's half against a server that a test writes: each request is answered by
// what `answer` says.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/base/percent.h"
#include "plugins/dialects/groundwork/dialect.h"
#include "plugins/dialects/groundwork/wire.h"

namespace checkrelay::groundwork {

inline Options options() {
  Options o;
  o.set("url", std::string("https://gw.example.com/"));
  o.set("username", std::string("relay"));
  o.set("password", Secret("hunter2-secret"));
  o.set("login_encoding", std::string("base64"));
  o.set("app_name", std::string("checkrelay"));
  o.set("app_type", std::string("NAGIOS"));
  o.set("format", std::string("json"));
  o.set("monitor_server", std::string("localhost"));
  o.set("merge", true);
  o.set("batch_bytes", 1'000'000LL);
  return o;
}

inline CheckResult result(std::string host, std::string service = "Backup",
                          std::string output = "fine") {
  CheckResult r;
  r.subject = {std::move(host), std::move(service)};
  r.output = std::move(output);
  r.time = Wall(std::chrono::seconds(1'767'608'100));
  return r;
}

inline std::vector<CheckResult> services(int n) {
  std::vector<CheckResult> batch;
  for (int i = 0; i < n; ++i) batch.push_back(result("h" + std::to_string(i)));
  return batch;
}

inline Message json(int status, std::string body) {
  return Message::response(status, std::move(body), "application/json");
}

inline std::string entity(const nlohmann::json& item) {
  std::string name = item.at("hostName");
  return item.contains("description") ? name + ":" + item.at("description").get<std::string>()
                                      : name;
}

inline nlohmann::json items_of(const Message& request) {
  auto body = nlohmann::json::parse(request.body);
  if (body.is_array()) return body;
  return body.begin().value();
}

// A results document that says `status` of each item, or what `special` has for its entity.
inline Message results(const Message& request, const std::string& status = "success",
                       const std::map<std::string, std::string>& special = {}) {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& item : items_of(request)) {
    const std::string name = entity(item);
    auto at = special.find(name);
    rows.push_back({{"entity", name}, {"status", at == special.end() ? status : at->second}});
  }
  return json(200, nlohmann::json{{"count", rows.size()}, {"results", rows}}.dump());
}

class Exchanges {
 public:
  using Answer = std::function<Message(const Message&)>;

  explicit Exchanges(const Options& o = options()) {
    outbound = std::move(groundwork_dialect().outbound(o).value());
  }

  // One conversation to its end. Logins get "TOKEN-n" unless `login` says otherwise.
  std::map<std::size_t, Verdict> run(const std::vector<CheckResult>& batch, const Answer& answer) {
    return run(outbound->open(batch), answer);
  }

  std::map<std::size_t, Verdict> run(std::unique_ptr<Conversation> conversation,
                                     const Answer& answer) {
    std::map<std::size_t, Verdict> verdicts;
    Actions out;
    conversation->start(now, out);
    for (int steps = 0; steps < 5000; ++steps) {
      for (Verdict& v : out.verdicts) {
        EXPECT_TRUE(verdicts.emplace(v.item, v).second) << "two verdicts for item " << v.item;
      }
      if (out.close) {
        for (Message& m : out.send) afterwards.push_back(std::move(m));
        return verdicts;
      }
      EXPECT_EQ(out.send.size(), 1U);
      if (out.send.empty()) return verdicts;
      const Message next = std::move(out.send.front());
      out = {};
      conversation->receive(reply(next, answer), now, out);
    }
    ADD_FAILURE() << "it does not end";
    return verdicts;
  }

  std::unique_ptr<Outbound> outbound;
  std::vector<Message> asked;       // batches
  std::vector<Message> logins;      // and logins
  std::vector<Message> afterwards;  // what was sent with the close
  std::function<Message(const Message&)> login = [this](const Message&) {
    return Message::response(200, " TOKEN-" + std::to_string(logins.size()) + "\r\n", "text/plain");
  };
  Instant now{Steady(std::chrono::hours(1)), Wall(std::chrono::hours(24 * 365 * 50))};

 private:
  Message reply(const Message& m, const Answer& answer) {
    if (m.target.ends_with("/auth/login")) {
      logins.push_back(m);
      return login(m);
    }
    asked.push_back(m);
    return answer(m);
  }
};

inline std::string token_of(const Message& m) {
  return m.secret_headers.empty() ? "" : m.secret_headers.front().value.reveal();
}

inline std::size_t count(const std::map<std::size_t, Verdict>& verdicts, Judgement j) {
  return static_cast<std::size_t>(std::count_if(
      verdicts.begin(), verdicts.end(), [&](const auto& v) { return v.second.judgement == j; }));
}

}  // namespace checkrelay::groundwork
