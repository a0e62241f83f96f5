#include <gtest/gtest.h>

#include "plugins/transports/http_client.h"
#include "tests/plugins/transports/outbound/certificates.h"
#include "tests/plugins/transports/outbound/peer.h"
#include "tests/plugins/transports/outbound/world.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using namespace testing_peer;

class HttpClientTls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificates_ = new Certificates;
    certificates_->make("ca", "", "");
    certificates_->make("other-ca", "", "");
    certificates_->make("localhost", "DNS:localhost", "ca");
    certificates_->make("elsewhere", "DNS:elsewhere.example.com", "ca");
    certificates_->make("client", "", "ca");
  }
  static void TearDownTestSuite() { delete certificates_; }
  static std::string file(const std::string& name) { return certificates_->path(name); }

  static TlsFiles server(const std::string& name, const std::string& client_ca = "") {
    return {file(name + ".pem"), file(name + ".key"),
            client_ca.empty() ? "" : file(client_ca + ".pem")};
  }
  static Options trusting(const std::string& ca) {
    Options o;
    o.set("timeout", Duration(60s));
    o.set("connect_timeout", Duration(60s));
    if (!ca.empty()) o.set("ca_file", file(ca + ".pem"));
    return o;
  }
  static Message ask(const Server& peer, const Options& o) {
    World w;
    w.carrier = std::move(make_http_client(o, w.loop).value());
    Message m = w.ask(Message::request("GET", peer.url()));
    w.carrier.reset();
    return m;
  }
  static void answer_all(Link& link, int) {
    while (link.request()) link.answer("ok");
  }

  static Certificates* certificates_;
};
Certificates* HttpClientTls::certificates_ = nullptr;

TEST_F(HttpClientTls, OwnAuthorityIsTrusted) {
  Server peer(answer_all, server("localhost"));
  EXPECT_EQ(ask(peer, trusting("ca")).body, "ok");
}

TEST_F(HttpClientTls, SystemsAuthoritiesDoNotKnowThisOne) {
  Server peer(answer_all, server("localhost"));
  Message m = ask(peer, trusting(""));
  EXPECT_EQ(m.trouble, Trouble::tls);
  EXPECT_FALSE(m.what.empty());
}

TEST_F(HttpClientTls, WrongAuthorityIsRefused) {
  Server peer(answer_all, server("localhost"));
  EXPECT_EQ(ask(peer, trusting("other-ca")).trouble, Trouble::tls);
}

TEST_F(HttpClientTls, WrongNameIsRefused) {
  Server peer(answer_all, server("elsewhere"));
  EXPECT_EQ(ask(peer, trusting("ca")).trouble, Trouble::tls);
}

TEST_F(HttpClientTls, InsecureTakesAnyCertificate) {
  Server peer(answer_all, server("elsewhere"));
  Options o = trusting("other-ca");
  o.set("insecure", true);
  EXPECT_EQ(ask(peer, o).body, "ok");
}

TEST_F(HttpClientTls, MissingAuthorityFileIsTlsTrouble) {
  Server peer(answer_all, server("localhost"));
  Options o = trusting("");
  o.set("ca_file", file("absent.pem"));
  EXPECT_EQ(ask(peer, o).trouble, Trouble::tls);
}

TEST_F(HttpClientTls, ClientCertificateIsShown) {
  Server peer(answer_all, server("localhost", "ca"));
  Options o = trusting("ca");
  o.set("client_cert", file("client.pem"));
  o.set("client_key", file("client.key"));
  EXPECT_EQ(ask(peer, o).body, "ok");
}

TEST_F(HttpClientTls, MissingClientCertificateIsTlsTrouble) {
  Server peer(answer_all, server("localhost", "ca"));
  Message m = ask(peer, trusting("ca"));
  EXPECT_EQ(m.trouble, Trouble::tls) << m.what;
}

TEST_F(HttpClientTls, UnreadableClientKeyIsTlsTrouble) {
  Server peer(answer_all, server("localhost", "ca"));
  Options o = trusting("ca");
  o.set("client_cert", file("client.pem"));
  o.set("client_key", file("absent.key"));
  EXPECT_EQ(ask(peer, o).trouble, Trouble::tls);
}

TEST_F(HttpClientTls, ServerThatHangsUpWithinTheHandshakeIsNoFaultOfTheConfiguration) {
  Server peer([](Link&, int) {});  // plain TCP: hangs up at once
  World w;
  w.carrier = std::move(make_http_client(trusting("ca"), w.loop).value());
  std::string url = peer.url();
  Message m = w.ask(Message::request("GET", "https" + url.substr(4)));
  EXPECT_EQ(m.trouble, Trouble::connect) << m.what;
}

TEST_F(HttpClientTls, PlainServerIsTlsTrouble) {
  Server peer([](Link& link, int) {
    link.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    link.wait_for_client_to_leave();
  });
  World w;
  w.carrier = std::move(make_http_client(trusting("ca"), w.loop).value());
  std::string url = peer.url();
  Message m = w.ask(Message::request("GET", "https" + url.substr(4)));
  EXPECT_EQ(m.trouble, Trouble::tls) << m.what;
}

}  // namespace
}  // namespace checkrelay
