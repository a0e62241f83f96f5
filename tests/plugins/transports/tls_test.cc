#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

// Keys and certificates of a small authority, made once by the openssl command.
class Certificates {
 public:
  static const Certificates& get() {
    static const Certificates made;
    return made;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_ + "/" + name; }

 private:
  Certificates() {
    std::string name = "/tmp/checkrelay-tls-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    authority("ca");
    authority("other");
    issue("server", "ca");
    issue("client", "ca");
    issue("stranger", "other");
  }
  ~Certificates() { run("rm -rf " + directory_); }

  static void run(const std::string& command) {
    EXPECT_EQ(std::system((command + " >/dev/null 2>&1").c_str()), 0) << command;
  }
  void authority(const std::string& name) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
        name + " -keyout " + file(name + ".key") + " -out " + file(name + ".pem"));
  }
  void issue(const std::string& name, const std::string& by) {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -keyout " + file(name + ".key") + " -out " + file(name + ".csr"));
    run("openssl x509 -req -days 2 -CAcreateserial -in " + file(name + ".csr") + " -CA " +
        file(by + ".pem") + " -CAkey " + file(by + ".key") + " -out " + file(name + ".pem"));
  }
  std::string directory_;
};

// The client's side of TLS over a Client.
class TlsClient {
 public:
  struct Wish {
    std::string name{};  // whose certificate to show
    int newest = TLS1_3_VERSION;
  };
  TlsClient(World& world, const Wish& wish)
      : world_(world),
        pipe(world.client()),
        context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    const Certificates& files = Certificates::get();
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), wish.newest);
    SSL_CTX_load_verify_locations(context_.get(), files.file("ca.pem").c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (!wish.name.empty()) {
      SSL_CTX_use_certificate_file(context_.get(), files.file(wish.name + ".pem").c_str(),
                                   SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context_.get(), files.file(wish.name + ".key").c_str(),
                                  SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context_.get()));
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl_.get(), in, out);
    SSL_set_connect_state(ssl_.get());
  }

  // As far as it gets without waiting.
  void step() {
    ERR_clear_error();
    BIO_write(SSL_get_rbio(ssl_.get()), pipe->received.data(),
              static_cast<int>(pipe->received.size()));
    pipe->received.clear();
    char plain[16384];
    for (;;) {
      const int size = SSL_read(ssl_.get(), plain, sizeof plain);
      if (size <= 0) {
        const int error = SSL_get_error(ssl_.get(), size);
        refused = refused || error == SSL_ERROR_SSL;
        ended = ended || error == SSL_ERROR_ZERO_RETURN;
        break;
      }
      received.append(plain, static_cast<std::size_t>(size));
    }
    flush();
  }
  void flush() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    if (size > 0) pipe->send({data, static_cast<std::size_t>(size)});
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
  }
  [[nodiscard]] bool until(const std::function<bool()>& done) {
    return world_.until([&] {
      step();
      return done();
    });
  }
  [[nodiscard]] bool shake_hands() {
    return until([&] { return SSL_is_init_finished(ssl_.get()) || refused || pipe->over(); }) &&
           SSL_is_init_finished(ssl_.get()) && !refused;
  }
  void send(const std::string& text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    flush();
  }
  void shut_down() {
    SSL_shutdown(ssl_.get());
    flush();
  }

 private:
  World& world_;

 public:
  std::unique_ptr<Client> pipe;
  std::string received;
  bool refused = false;  // by a TLS alert or an unacceptable certificate
  bool ended = false;    // by a TLS close

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, &SSL_free};
};

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    const Certificates& files = Certificates::get();
    world.options.set("listen", std::string("127.0.0.1:0"));
    world.options.set("tls_cert", files.file("server.pem"));
    world.options.set("tls_key", files.file("server.key"));
  }
  void ask_for_certificates() {
    world.options.set("tls_client_ca", Certificates::get().file("ca.pem"));
  }
  World world;
};

const std::string kGet = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(Tls, HttpIsServed) {
  world.open("http");
  TlsClient client(world, {});
  ASSERT_TRUE(client.shake_hands());
  client.send(kGet);
  EXPECT_TRUE(client.until([&] { return client.received.ends_with("GET "); }));
  client.send("GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.until([&] { return client.ended; }));
}

TEST_F(Tls, StreamIsServedAndRepliesComeAfterThePeersClose) {
  world.receiver.settles_at_once = false;
  world.open("tcp");
  TlsClient client(world, {});
  ASSERT_TRUE(client.shake_hands());
  client.send("one\ntwo\n");
  client.shut_down();
  ASSERT_TRUE(client.until([&] { return world.receiver.results.size() == 2; }));
  world.settle_down();
  world.receiver.settle_all();
  EXPECT_TRUE(client.until([&] { return client.received == "ok one\nok two\n"; }));
  EXPECT_TRUE(client.until([&] { return client.ended; }));
}

TEST_F(Tls, CutConnectionIsNoEndOfInput) {
  world.open("tcp");
  TlsClient client(world, {});
  ASSERT_TRUE(client.shake_hands());
  client.send("whole\nhal");
  ASSERT_TRUE(client.until([&] { return client.received == "ok whole\n"; }));
  client.pipe->shut_down();
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
  EXPECT_EQ(world.receiver.results, std::vector<std::string>{"whole"});
}

TEST_F(Tls, MuchIsCarriedBothWays) {
  world.open("tcp");
  TlsClient client(world, {});
  ASSERT_TRUE(client.shake_hands());
  for (int i = 0; i < 20'000; ++i) client.send("line\n");
  EXPECT_TRUE(client.until([&] { return client.received.size() == 20'000 * 8; }));
}

TEST_F(Tls, BackpressureHoldsWithWhatIsNotYetDecrypted) {
  world.receiver.is_congested = true;
  world.open("tcp");
  TlsClient client(world, {});
  world.settle_down();
  EXPECT_TRUE(world.receiver.results.empty());
  world.receiver.is_congested = false;
  world.door->drained();
  ASSERT_TRUE(client.shake_hands());
  world.receiver.settles_at_once = false;
  for (int i = 0; i < 40'000; ++i) client.send("x\n");
  ASSERT_TRUE(client.until([&] { return world.receiver.results.size() >= 2048; }));
  world.settle_down();
  EXPECT_LT(world.receiver.results.size(), 40'000U);
  EXPECT_TRUE(client.until([&] {
    world.receiver.settle_all();
    return world.receiver.results.size() == 40'000;
  }));
}

TEST_F(Tls, ClientWithoutACertificateIsRefusedWhereOneIsAsked) {
  ask_for_certificates();
  world.open("http");
  TlsClient client(world, {});
  (void)client.shake_hands();
  client.send(kGet);
  EXPECT_TRUE(client.until([&] { return client.refused; }));
  EXPECT_TRUE(world.receiver.requests.empty());
}

TEST_F(Tls, ClientOfAnotherAuthorityIsRefused) {
  ask_for_certificates();
  world.open("http");
  TlsClient client(world, {.name = "stranger"});
  (void)client.shake_hands();
  client.send(kGet);
  EXPECT_TRUE(client.until([&] { return client.refused; }));
  EXPECT_TRUE(world.receiver.requests.empty());
}

TEST_F(Tls, ClientWithACertificateIsServed) {
  ask_for_certificates();
  world.open("http");
  TlsClient client(world, {.name = "client"});
  ASSERT_TRUE(client.shake_hands());
  client.send(kGet);
  EXPECT_TRUE(client.until([&] { return client.received.ends_with("GET "); }));
}

TEST_F(Tls, OldVersionsAreRefused) {
  world.open("http");
  TlsClient client(world, {.newest = TLS1_1_VERSION});
  EXPECT_FALSE(client.shake_hands());
}

TEST_F(Tls, GarbageEndsTheConnectionAndNothingElse) {
  world.open("http");
  std::vector<std::string> garbage{
      kGet, std::string(50, '\n'), std::string(100'000, '\0'),
      std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x')};
  for (const std::string& bytes : garbage) {
    const auto client = world.client();
    client->send(bytes);
    EXPECT_TRUE(world.until([&] { return client->over(); }));
  }
  TlsClient client(world, {});
  EXPECT_TRUE(client.shake_hands());
}

TEST_F(Tls, SilentHandshakeIsEnded) {
  world.options.set("idle_timeout", Duration(30ms));
  world.open("http");
  const auto client = world.client();
  client->send(std::string("\x16\x03\x01\x02", 4));
  EXPECT_TRUE(world.until([&] { return client->over(); }));
}

TEST_F(Tls, AbortedHandshakesLeaveNothing) {
  world.open("http");
  for (int i = 0; i < 300; ++i) {
    TlsClient client(world, {});
    client.step();
    world.turn();
    if (i % 2 == 0) client.step();
    client.pipe->close(i % 3 == 0);
    world.turn();
  }
  EXPECT_TRUE(world.until([&] { return world.door->idle(); }));
}

TEST_F(Tls, FilesThatDoNotFitAreNamed) {
  const Certificates& files = Certificates::get();
  const auto what = [&](const char* option, const std::string& value) {
    World other;
    other.options = world.options;
    other.options.set(option, value);
    const auto opened = other.try_open("http");
    return opened ? "opened" : opened.error().what;
  };
  EXPECT_NE(what("tls_cert", "/nowhere.pem").find("/nowhere.pem"), std::string::npos);
  EXPECT_NE(what("tls_key", files.file("client.key")).find("client.key"), std::string::npos);
  EXPECT_NE(what("tls_key", files.file("ca.pem")).find("ca.pem"), std::string::npos);
  EXPECT_NE(what("tls_client_ca", files.file("server.key")).find("server.key"), std::string::npos);
  EXPECT_NE(what("tls_key", "").find("belong together"), std::string::npos);
}

}  // namespace
}  // namespace checkrelay
