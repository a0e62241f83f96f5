#include "plugins/transports/http_client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "tests/plugins/transports/outbound/peer.h"
#include "tests/plugins/transports/outbound/world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using namespace testing_peer;

Options options(Duration timeout = 60s) {
  Options o;
  o.set("timeout", timeout);
  o.set("connect_timeout", Duration(60s));
  return o;
}

struct HttpWorld : World {
  explicit HttpWorld(const Options& o = options()) {
    carrier = std::move(make_http_client(o, loop).value());
  }
};

Message post(const Server& peer, std::string body = "{}") {
  return Message::request("POST", peer.url("/api?format=json"), std::move(body));
}

// Answers every request with its number on the connection.
void answer_all(Link& link, int) {
  for (int n = 0; link.request(); ++n) link.answer(std::to_string(n));
}

// The requests that came, as text.
struct Log {
  std::mutex mutex{};
  std::vector<std::string> requests{};
  void add(std::string request) {
    std::lock_guard lock(mutex);
    requests.push_back(std::move(request));
  }
  std::string last() {
    std::lock_guard lock(mutex);
    return requests.empty() ? "" : requests.back();
  }
  std::size_t size() {
    std::lock_guard lock(mutex);
    return requests.size();
  }
};

TEST(HttpClient, UsesAConnectionAgain) {
  Server peer(answer_all);
  HttpWorld w;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(w.ask(post(peer)).body, std::to_string(i));
  EXPECT_EQ(w.ask({post(peer), post(peer)}).body, "6");
  EXPECT_EQ(peer.connections(), 1);
  EXPECT_EQ(w.verdicts, 6U);
}

TEST(HttpClient, SendsWhatWasAskedFor) {
  Log log;
  Server peer([&](Link& link, int) {
    while (auto request = link.request()) {
      log.add(*request);
      link.answer("");
    }
  });
  HttpWorld w;
  Message m = post(peer, R"({"a":1})");
  m.headers = {{"Content-Type", "application/json"}, {"X-Split", "a\r\nX-Injected: b"}};
  m.credentials = Credentials{"relay", Secret("geheim")};
  EXPECT_EQ(w.ask(m).status, 200);
  std::string seen = log.last();
  EXPECT_TRUE(seen.starts_with("POST /api?format=json HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Authorization: Basic cmVsYXk6Z2VoZWlt\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("Content-Type: application/json\r\n"), std::string::npos) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{\"a\":1}")) << seen;
  for (const char* absent : {"Expect", "Accept-Encoding", "X-Injected", "geheim"}) {
    EXPECT_EQ(seen.find(absent), std::string::npos) << seen;
  }
}

TEST(HttpClient, SecretWithoutUserIsABearerToken) {
  Log log;
  Server peer([&](Link& link, int) {
    while (auto request = link.request()) {
      log.add(*request);
      link.answer("");
    }
  });
  HttpWorld w;
  Message m = Message::request("GET", peer.url("/x"));
  m.credentials = Credentials{"", Secret("token1")};
  w.ask(m);
  EXPECT_NE(log.last().find("Authorization: Bearer token1\r\n"), std::string::npos) << log.last();
}

TEST(HttpClient, MethodsTravelAsTheyAre) {
  Log log;
  Server peer([&](Link& link, int) {
    while (auto request = link.request()) {
      log.add(*request);
      link.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  HttpWorld w;
  for (const char* method : {"GET", "PUT", "DELETE", "HEAD", "POST"}) {
    EXPECT_EQ(w.ask(Message::request(method, peer.url())).status, 200) << method;
    EXPECT_TRUE(log.last().starts_with(std::string(method) + " / HTTP/1.1\r\n")) << log.last();
  }
}

TEST(HttpClient, BigBodyIsSentWithoutAskingFirst) {
  std::promise<std::size_t> size;
  Server peer([&](Link& link, int) {
    auto request = link.request();
    size.set_value(request ? request->size() : 0);
    link.answer("");
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer, std::string(2 << 20, 'x'))).status, 200);
  EXPECT_GT(size.get_future().get(), std::size_t{2} << 20);
}

TEST(HttpClient, ChunkedAnswerIsWhole) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After:  7 \r\n\r\n");
    for (const char* piece : {"3\r\n{\"r", "\r\n2;x=y\r\nes\r\n", "0\r\nTrailer: t\r\n\r\n"})
      link.write(piece);
  });
  HttpWorld w;
  Message m = w.ask(post(peer));
  EXPECT_EQ(m.kind, Message::Kind::response);
  EXPECT_EQ(m.body, "{\"res");
  ASSERT_NE(m.header("retry-after"), nullptr);
  EXPECT_EQ(*m.header("retry-after"), "7");
}

TEST(HttpClient, AnswerThatWasCompressedUnaskedIsRead) {
  constexpr std::string_view kConfirmed(
      "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\xcf\x06\0\x47\xdd\xdc\x79\x02\0\0\0", 22);
  Server peer([&](Link& link, int) {
    (void)link.request();
    link.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n" +
               std::string(kConfirmed));
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).body, "ok");
}

TEST(HttpClient, InterimAnswersAreSkipped) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.write(
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
        "1\r\n\r\nx");
  });
  HttpWorld w;
  Message m = w.ask(post(peer));
  EXPECT_EQ(m.status, 200);
  EXPECT_EQ(m.header("X-Early"), nullptr);
}

TEST(HttpClient, RedirectIsAnAnswer) {
  Server peer([](Link& link, int) {
    while (link.request())
      link.write("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n");
  });
  HttpWorld w;
  Message m = w.ask(post(peer));
  EXPECT_EQ(m.status, 302);
  EXPECT_EQ(*m.header("Location"), "/login");
  EXPECT_EQ(peer.connections(), 1);
}

TEST(HttpClient, NobodyListeningIsConnectTrouble) {
  HttpWorld w;
  Message m =
      w.ask(Message::request("POST", "http://127.0.0.1:" + std::to_string(unused_port()) + "/"));
  EXPECT_EQ(m.trouble, Trouble::connect);
  EXPECT_FALSE(m.what.empty());
}

TEST(HttpClient, WrongUrlIsTroubleNotACrash) {
  HttpWorld w;
  for (const char* url :
       {"", "ftp://localhost/", "file:///etc/passwd", "http://", "http://[::bad/"}) {
    EXPECT_EQ(w.ask(Message::request("GET", url)).trouble, Trouble::connect) << url;
  }
}

TEST(HttpClient, SilenceIsATimeout) {
  Server peer([](Link& link, int) { link.wait_for_client_to_leave(); });
  HttpWorld w(options(100ms));
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::timeout);
}

TEST(HttpClient, BodyThatDoesNotEndIsATimeout) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
    link.wait_for_client_to_leave();
  });
  HttpWorld w(options(100ms));
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::timeout);
}

TEST(HttpClient, EndBeforeAnAnswerIsDropped) {
  Server peer([](Link& link, int) { (void)link.request(); });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::dropped);
}

TEST(HttpClient, EndWithinAnAnswerIsDropped) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::dropped);
}

TEST(HttpClient, WhatIsNotHttpIsDropped) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.write("SSH-2.0-OpenSSH\r\n\r\n");
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::dropped);
}

TEST(HttpClient, AnswerUpToTheCapIsTaken) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.answer(std::string(kAnswerCap, 'x'));
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).body.size(), kAnswerCap);
}

TEST(HttpClient, LargerAnswerIsTooLarge) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.answer(std::string(kAnswerCap + 1, 'x'));
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::too_large);
}

TEST(HttpClient, EndlessHeadersAreTooLarge) {
  Server peer([](Link& link, int) {
    (void)link.request();
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 5000; ++i) head += "X-Header-" + std::to_string(i) + ": some words\r\n";
    link.write(head);
    link.wait_for_client_to_leave();
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).trouble, Trouble::too_large);
}

TEST(HttpClient, ConnectionThatTheServerClosedIsReplaced) {
  Server peer([](Link& link, int) {
    (void)link.request();
    link.answer("once");  // and hangs up without a word
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).body, "once");
  EXPECT_EQ(w.ask(post(peer)).body, "once");
  EXPECT_EQ(peer.connections(), 2);
}

TEST(HttpClient, RequestLostOnAStaleConnectionIsSentAgain) {
  Log log;
  Server peer([&](Link& link, int connection) {
    while (auto request = link.request()) {
      log.add(*request);
      if (connection == 0 && log.size() == 2) return;
      link.answer("ok");
    }
  });
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).body, "ok");
  EXPECT_EQ(w.ask(post(peer, "second")).body, "ok");
  EXPECT_EQ(log.size(), 3U) << "at least once: the peer saw the second request twice";
}

TEST(HttpClient, CancelEndsEverythingAtOnce) {
  Server peer([](Link& link, int) { link.wait_for_client_to_leave(); });
  HttpWorld w;
  for (int i = 0; i < 10; ++i) w.carry({post(peer)});
  ASSERT_TRUE(drive(w.loop, [&] { return peer.connections() > 0; }));
  w.carry({post(peer)});  // not even begun
  w.carrier->cancel();
  EXPECT_EQ(w.done, 11);
  EXPECT_EQ(w.verdicts, 11U);
  for (const Message& m : *w.answers) EXPECT_EQ(m.trouble, Trouble::cancelled);
}

TEST(HttpClient, ProxyOfTheEnvironmentIsIgnored) {
  ::setenv("http_proxy", "http://127.0.0.1:1/", 1);
  Server peer(answer_all);
  HttpWorld w;
  EXPECT_EQ(w.ask(post(peer)).status, 200);
  ::unsetenv("http_proxy");
}

TEST(HttpClient, ProxyOfTheOptionsIsUsed) {
  Log log;
  Server proxy([&](Link& link, int) {
    while (auto request = link.request()) {
      log.add(*request);
      link.answer("proxied");
    }
  });
  Options o = options();
  o.set("proxy", proxy.url());
  HttpWorld w(o);
  EXPECT_EQ(w.ask(Message::request("GET", "http://upstream.invalid/x")).body, "proxied");
  EXPECT_TRUE(log.last().starts_with("GET http://upstream.invalid/x HTTP/1.1")) << log.last();
}

// Gives up by itself when its deadline comes.
class Impatient : public Conversation {
 public:
  Impatient(Message message, Steady until) : message_(std::move(message)), until_(until) {}
  void start(Instant, Actions& out) override { out.send.push_back(message_); }
  void receive(Message, Instant, Actions&) override {}
  void finish(Instant, Actions&) override {}
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}
  std::optional<Steady> deadline() const override { return until_; }
  void expire(Instant now, Actions& out) override {
    if (now.steady < until_) return;
    out.verdicts.push_back({0, Judgement::transient, "gave up", std::nullopt});
    out.close = true;
  }

 private:
  Message message_;
  Steady until_;
};

TEST(HttpClient, ConversationsOwnDeadlineIsKept) {
  Server peer([](Link& link, int) { link.wait_for_client_to_leave(); });
  HttpWorld w;
  std::vector<Verdict> verdicts;
  w.carrier->carry(std::make_unique<Impatient>(post(peer), w.loop.now().steady + 50ms),
                   [&](std::vector<Verdict> v) { verdicts = std::move(v); });
  ASSERT_TRUE(drive(w.loop, [&] { return !verdicts.empty(); }));
  EXPECT_EQ(verdicts[0].answer, "gave up");
}

}  // namespace
}  // namespace checkrelay
