// What agent/port/transport.h promises of a Carrier, of every carrier and whatever the other side
// does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "plugins/transports/append_carrier.h"
#include "plugins/transports/http_client.h"
#include "plugins/transports/none_carrier.h"
#include "tests/plugins/transports/outbound/peer.h"
#include "tests/plugins/transports/outbound/world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using testing_peer::Link;
using testing_peer::Server;

constexpr std::size_t kItems = 3;

// What all conversations of a test lived through.
struct Seen {
  std::vector<Trouble> troubles{};
  std::size_t called_after_close = 0;
  std::size_t alive = 0;
};

// Asks twice; judges its items when it has both answers, or at the first failure, or at the end.
class Batch final : public Conversation {
 public:
  Batch(Message message, std::shared_ptr<Seen> seen)
      : message_(std::move(message)), seen_(std::move(seen)) {
    ++seen_->alive;
  }
  ~Batch() override { --seen_->alive; }
  void start(Instant, Actions& out) override { out.send.push_back(message_); }
  void receive(Message in, Instant, Actions& out) override {
    if (closed_) ++seen_->called_after_close;
    if (in.kind == Message::Kind::failure) {
      seen_->troubles.push_back(in.trouble);
      return close(Judgement::transient, out);
    }
    if (++answers_ == 2) return close(Judgement::delivered, out);
    out.send.push_back(message_);
  }
  void finish(Instant, Actions& out) override {
    if (closed_) ++seen_->called_after_close;
    close(Judgement::transient, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {
    ++seen_->called_after_close;
  }

 private:
  void close(Judgement j, Actions& out) {
    closed_ = true;
    out.close = true;
    for (std::size_t i = 0; i < kItems; ++i) out.verdicts.push_back({i, j, "", std::nullopt});
  }
  Message message_;
  std::shared_ptr<Seen> seen_;
  int answers_ = 0;
  bool closed_ = false;
};

// The other side, and the carrier that leads there. The loop goes before the directory.
struct Rig {
  Rig() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "checkrelay-carriers-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
  }
  ~Rig() {
    carrier.reset();
    loop.reset();
    std::filesystem::remove_all(directory);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  void http(Server::Script script, Duration timeout = 60s) {
    server.emplace(std::move(script));
    http_to(server->url(), timeout);
  }
  void http_to(const std::string& url, Duration timeout = 60s) {
    Options o;
    o.set("timeout", timeout);
    o.set("connect_timeout", Duration(60s));
    carrier = std::move(make_http_client(o, *loop).value());
    message = Message::request("POST", url, "{}");
  }
  void append(const std::string& name) {
    Options o;
    o.set("path", directory + name);
    carrier = std::move(make_append_carrier(o, *loop).value());
    message = Message::bytes("{}\n");
  }
  void none() { carrier = make_none_carrier(*loop); }

  std::string directory;
  std::optional<Server> server{};
  std::unique_ptr<Loop> loop = std::make_unique<Loop>();
  std::unique_ptr<Carrier> carrier{};
  Message message = Message::bytes("x");
};

void answer_all(Link& link, int) {
  while (link.request()) link.answer("ok");
}
void hang_up(Link& link, int) { (void)link.request(); }
void hang_up_halfway(Link& link, int) {
  (void)link.request();
  link.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}
void answer_once(Link& link, int) {
  if (link.request()) link.answer("ok");
}
void say_rubbish(Link& link, int) {
  (void)link.request();
  link.write("rubbish\r\n\r\n");
}
void say_nothing(Link& link, int) { link.wait_for_client_to_leave(); }

struct Way {
  const char* name;
  std::function<void(Rig&)> set_up;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

std::vector<Way> ways() {
  return {{"none", [](Rig& r) { r.none(); }},
          {"append", [](Rig& r) { r.append("/results.log"); }},
          {"append_without_directory", [](Rig& r) { r.append("/missing/results.log"); }},
          {"http", [](Rig& r) { r.http(answer_all); }},
          {"http_one_answer_a_connection", [](Rig& r) { r.http(answer_once); }},
          {"http_hangs_up", [](Rig& r) { r.http(hang_up); }},
          {"http_hangs_up_halfway", [](Rig& r) { r.http(hang_up_halfway); }},
          {"http_rubbish", [](Rig& r) { r.http(say_rubbish); }},
          {"http_silent", [](Rig& r) { r.http(say_nothing, 50ms); }},
          {"http_nobody_there", [](Rig& r) {
             r.http_to("http://127.0.0.1:" + std::to_string(testing_peer::unused_port()) + "/");
           }}};
}

class Carriers : public testing::TestWithParam<Way> {
 protected:
  Carriers() { GetParam().set_up(rig_); }
  void TearDown() override {
    rig_.carrier.reset();
    EXPECT_EQ(seen_->called_after_close, 0U);
    EXPECT_LE(most_, 1) << "done came twice";
  }
  // Carries a conversation; `then` runs within its done.
  void carry(std::function<void()> then = [] {}) {
    auto times = std::make_shared<int>(0);
    rig_.carrier->carry(
        std::make_unique<Batch>(rig_.message, seen_),
        [this, times, then = std::move(then)](const std::vector<Verdict>& verdicts) {
          most_ = std::max(most_, ++*times);
          ++done_;
          std::vector<std::size_t> items;
          for (const Verdict& v : verdicts) items.push_back(v.item);
          EXPECT_EQ(items, (std::vector<std::size_t>{0, 1, 2}));
          then();
        });
    EXPECT_EQ(*times, 0) << "done from within carry()";
  }
  [[nodiscard]] bool done(int count) {
    return testing_peer::drive(*rig_.loop, [&] { return done_ == count; });
  }
  void turn() {
    rig_.loop->defer([] {});
    rig_.loop->run_once();
  }
  void settle_down() {
    for (int i = 0; i < 20; ++i) turn();
  }

  Rig rig_;
  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  int done_ = 0;
  int most_ = 0;  // calls of one done
};

INSTANTIATE_TEST_SUITE_P(Every, Carriers, testing::ValuesIn(ways()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST_P(Carriers, EveryConversationEndsOnceWithEveryVerdict) {
  for (int i = 0; i < 10; ++i) carry();
  ASSERT_TRUE(done(10));
  settle_down();
  EXPECT_EQ(done_, 10);
  rig_.carrier.reset();
  settle_down();
  EXPECT_EQ(seen_->alive, 0U);
}

TEST_P(Carriers, CancelEndsAllBeforeItReturns) {
  int carried = 0;
  for (int turns = 0; turns < 6; ++turns) {
    for (int i = 0; i < 5; ++i, ++carried) carry();
    for (int i = 0; i < turns; ++i) turn();
    seen_->troubles.clear();
    rig_.carrier->cancel();
    EXPECT_EQ(done_, carried) << turns;
    for (Trouble t : seen_->troubles) EXPECT_EQ(t, Trouble::cancelled) << turns;
  }
  settle_down();
  EXPECT_EQ(done_, carried);
}

TEST_P(Carriers, CancelWithNothingUnderWayDoesNoHarm) {
  rig_.carrier->cancel();
  carry();
  ASSERT_TRUE(done(1));
  rig_.carrier->cancel();
  EXPECT_EQ(done_, 1);
}

TEST_P(Carriers, CarriesAgainAfterCancel) {
  carry();
  turn();
  rig_.carrier->cancel();
  ASSERT_EQ(done_, 1);
  carry();
  EXPECT_TRUE(done(2));
}

TEST_P(Carriers, DoneMayCarryTheNext) {
  carry([this] { carry([this] { carry(); }); });
  EXPECT_TRUE(done(3));
}

TEST_P(Carriers, CancelThatMakesDoneCarryLeavesTheNewOneAlone) {
  carry([this] { carry(); });
  turn();
  if (done_ == 0) rig_.carrier->cancel();
  EXPECT_TRUE(done(2));
}

TEST_P(Carriers, DoneMayDestroyTheCarrier) {
  bool gone = false;
  carry([&] {
    rig_.carrier.reset();
    gone = true;
  });
  ASSERT_TRUE(testing_peer::drive(*rig_.loop, [&] { return gone; }));
  settle_down();
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(seen_->alive, 0U);
}

TEST_P(Carriers, MayBeDestroyedInFlight) {
  for (int turns = 0; turns < 3; ++turns) {
    for (int i = 0; i < 3; ++i) carry();
    for (int i = 0; i < turns; ++i) turn();
    const int before = done_;
    rig_.carrier.reset();
    settle_down();
    EXPECT_EQ(done_, before) << turns;
    EXPECT_EQ(seen_->alive, 0U) << turns;
    rig_.server.reset();
    GetParam().set_up(rig_);
  }
}

}  // namespace
}  // namespace checkrelay
