// A week of a site, minute by minute in virtual time: what it promises, what happens, and exactly
// what the agent says of its own about that.
#include <gmock/gmock.h>

#include <functional>
#include <map>

#include "agent/base/text.h"
#include "agent/policy/freshness_text.h"
#include "tests/agent/flow/agent_world.h"
#include "tests/agent/flow/outage_world.h"
#include "tests/agent/flow/promises.h"

namespace checkrelay {
namespace {

constexpr std::string_view kPromises = R"(
[[freshness]]
host = "db*"
service = "Backup"
schedule = "0 3 * * *"
timezone = "Europe/Stockholm"
grace = "2h"
repeat = "24h"

[[freshness]]
host = "edge1"
service = "Sync"
schedule = "30 2 * * *"      # a time that the night of the clocks does not have
timezone = "Europe/Stockholm"
grace = "15m"

[[freshness]]
host = "sw*"
service = "Uplink"
every = "1h"
grace = "10m"
timezone = "Europe/Stockholm"
group = "switches"
)";

// Of March 2026; the clocks go forward on Sunday at 02:00.
enum Day { kMon = 23, kTue, kWed, kThu, kFri, kSat, kSun, kNextMon };

class Week : public AgentTest {
 protected:
  Week() : zone_(Zone::find("Europe/Stockholm").value()) {
    upstreams["central"].judge = [this](const std::vector<CheckResult>& batch) {
      return judge(batch);
    };
    world.jump_wall(at(kMon, "00:00") - world.now().wall);
    Config site = config({door("socket")}, {to("central")});
    site.freshness = promises(kPromises);
    site.outages = {window("db2", at(kWed, "02:00"), at(kWed, "06:30"))};
    site_ = site;
    EXPECT_TRUE(agent->start(site_));
  }

  [[nodiscard]] Wall at(int day, const std::string& time) const {
    const auto hour = parse_integer(time.substr(0, 2), 0, 24).value();
    const auto minute = parse_integer(time.substr(3), 0, 59).value();
    const auto date = std::chrono::year(2026) / 3 / 1;
    const CivilDay first{std::chrono::local_days(std::chrono::year_month_day(date))};
    return zone_.first(Civil(first + std::chrono::days(day - 1)) + std::chrono::hours(hour) +
                       std::chrono::minutes(minute));
  }
  static OutagesConfig window(const std::string& node, Wall start, Wall end) {
    OutagesConfig c = local_config(start, end);
    c.options.set("nodes", std::vector<std::string>{node});
    return c;
  }

  void plan(Wall when, std::function<void()> what) { plan_.emplace(when, std::move(what)); }
  void plan_report(Wall when, const std::string& host, const std::string& service) {
    plan(when, [=, this] { report(host, service, when); });
  }
  // A job that runs every night at that time; `but` are the nights on which it does not.
  void plan_nightly(const std::string& time, const std::string& host, const std::string& service,
                    const std::vector<int>& but = {}) {
    for (int day = kMon; day <= kNextMon; ++day)
      if (std::find(but.begin(), but.end(), day) == but.end())
        plan_report(at(day, time), host, service);
  }
  // Reports that a script makes while the agent is down wait in the spool.
  void report(const std::string& host, const std::string& service, Wall time) {
    if (!agent) return void(spooled_.push_back({host, service, time}));
    Submission s;
    CheckResult& r = s.results.emplace_back();
    r.subject = {host, service};
    r.time = time;
    r.output = "done";
    doorways["socket"].receiver->submit(Peer{}, std::move(s), [](const auto&) {});
    world.settle_down();
  }
  void kill() {
    agent.reset();
    world.tick = [](Instant) {};
    world.after_poll = [] {};
    world.deadline = [](Instant) { return std::nullopt; };
  }
  void boot() {
    agent = std::make_unique<Agent>(registry, world.journal, loop, world.env);
    world.tick = [this](Instant now) { agent->tick(now); };
    world.after_poll = [this] { agent->journal_polled(); };
    world.deadline = [this](Instant now) { return agent->deadline(now); };
    ASSERT_TRUE(agent->start(site_));
    for (const auto& [host, service, time] : std::exchange(spooled_, {}))
      report(host, service, time);
  }
  void live() {
    for (const auto& [when, what] : plan_) {
      world.advance(when - world.now().wall);
      what();
      world.settle_down();
    }
  }

  std::vector<Verdict> judge(const std::vector<CheckResult>& batch) {
    const Judgement verdict = uplink_ ? Judgement::delivered : Judgement::transient;
    for (const CheckResult& r : batch) {
      if (!uplink_ || !is_freshness_source(r.check_source)) continue;
      const std::string late = short_time(world.now().wall);
      const std::string made = short_time(r.time);
      said_.push_back(made + " " + to_string(r.subject) + " " +
                      std::string(state_name(r.state, false)) + ": " + r.output +
                      (late == made ? "" : " [arrived " + late + "]"));
    }
    return Upstream::always(verdict)(batch);
  }
  [[nodiscard]] std::string short_time(Wall t) const {
    const std::string words = at_words(floor<std::chrono::minutes>(t), zone_, t);
    return words.substr(0, words.rfind(' '));
  }

  Zone zone_;
  Config site_;
  bool uplink_ = true;
  std::multimap<Wall, std::function<void()>> plan_;
  struct Spooled {
    std::string host{}, service{};
    Wall time{};
  };
  std::vector<Spooled> spooled_;
  std::vector<std::string> said_;
};

TEST_F(Week, HasExactlyTheReportsThatAreDue) {
  // Databases are saved every night. db2 is under work on Wednesday, in a planned outage, and is
  // saved when that is over; db3's job stops on Thursday and is mended on Saturday.
  plan_nightly("03:20", "db1", "Backup");
  plan_nightly("03:40", "db2", "Backup", {kWed});
  plan_report(at(kWed, "06:33"), "db2", "Backup");
  plan_nightly("04:10", "db3", "Backup", {kThu, kFri, kSat});
  plan_report(at(kSat, "12:00"), "db3", "Backup");

  // On Sunday there is no 02:30; the job's own cron runs it when the clocks have changed.
  plan_nightly("02:31", "edge1", "Sync", {kSun});
  plan_report(at(kSun, "03:00"), "edge1", "Sync");

  // Three switches report every hour; on Tuesday their site has no power from noon on, and on
  // Monday one of them is replaced, which nobody planned.
  for (Wall t = at(kMon, "00:01"); t < at(kNextMon, "07:00"); t += 1h) {
    const bool dark = t >= at(kTue, "12:00") && t < at(kTue, "18:00");
    const bool replaced = t >= at(kMon, "10:00") && t < at(kMon, "13:00");
    for (const char* host : {"sw1", "sw2", "sw3"})
      if (!dark && !(replaced && host == std::string("sw2"))) plan_report(t, host, "Uplink");
  }

  // The uplink is down on Thursday morning; the machine restarts in the night to Friday.
  plan(at(kThu, "04:30"), [this] { uplink_ = false; });
  plan(at(kThu, "08:00"), [this] { uplink_ = true; });
  plan(at(kFri, "02:40"), [this] { kill(); });
  plan(at(kFri, "05:30"), [this] { boot(); });
  plan(at(kNextMon, "07:00"), [] {});
  live();

  EXPECT_THAT(
      said_,
      testing::ElementsAre(
          "Mon 10:11 sw2;Uplink CRITICAL: no result since Mon 09:01 Europe/Stockholm",
          "Tue 12:11 edge1;switches CRITICAL: switches is silent: nothing of it since Tue 11:01 "
          "Europe/Stockholm, 3 of its subjects are late",
          "Tue 18:01 edge1;switches OK: switches is heard again",
          "Thu 05:00 db3;Backup CRITICAL: no result since Wed 04:10 Europe/Stockholm "
          "[arrived Thu 08:00]",
          "Fri 05:35 db3;Backup CRITICAL: no result since Wed 04:10 Europe/Stockholm",
          "Sat 05:35 db3;Backup CRITICAL: no result since Wed 04:10 Europe/Stockholm"));
}

}  // namespace
}  // namespace checkrelay
