#include "tests/contract/pair.h"

#include <gtest/gtest.h>

#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/transports/http_parser.h"
#include "plugins/transports/http_text.h"

namespace checkrelay {
namespace {

// "https://host/path" in two.
std::pair<std::string, std::string> host_and_path(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  return {url.substr(host, path - host), path == url.size() ? "/" : url.substr(path)};
}

// RFC 9112 as curl writes it.
std::string request_bytes(const Message& m) {
  const auto [host, path] = host_and_path(m.target);
  std::string out = m.method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n";
  if (m.credentials) {
    out += "Authorization: Basic " +
           base64(m.credentials->user + ":" + m.credentials->secret.reveal()) + "\r\n";
  }
  for (const Header& h : m.headers) out += h.name + ": " + h.value + "\r\n";
  for (const SecretHeader& h : m.secret_headers) out += h.name + ": " + h.value.reveal() + "\r\n";
  if (!m.body.empty() || m.method == "POST")
    out += "Content-Length: " + std::to_string(m.body.size()) + "\r\n";
  return out + "\r\n" + m.body;
}

// What our door writes, read as curl hands it on.
Message response_of(std::string_view bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  Message m;
  m.kind = Message::Kind::response;
  m.status = static_cast<int>(parse_integer(bytes.substr(9, 3), 100, 599).value_or(0));
  m.body = bytes.substr(head + 4);
  for (std::string_view line : split(bytes.substr(0, head), '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    m.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
  }
  const std::string* length = m.header("Content-Length");
  EXPECT_EQ(length ? *length : "none", std::to_string(m.body.size()));
  return m;
}

}  // namespace

PairHub::PairHub(const Dialect& dialect) : dialect_(dialect), access_(std::make_shared<Access>()) {
  set_password(kPairPassword);
  forget_logins();
}

void PairHub::set_password(const std::string& password) {
  *access_ = Access({{kPairUser, Secret(password), {"*"}}});
}

void PairHub::forget_logins() {
  logins_ =
      std::make_shared<TokenTable>(access_, [this] { return "token" + std::to_string(++tokens); });
}

Message PairHub::serve(Message request, std::size_t piece) {
  rewrite(request);
  const std::string bytes = request_bytes(request);
  longest = std::max(longest, bytes.size());
  const Message response = respond(parse(bytes, piece));
  return response_of(format_response(response, {}, now.wall));
}

Message PairHub::parse(const std::string& bytes, std::size_t piece) {
  HttpParser parser({});
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::string_view part = std::string_view(bytes).substr(at, piece);
    EXPECT_FALSE(parser.complete()) << "bytes behind the end of a request";
    EXPECT_EQ(parser.feed(part), part.size());
  }
  EXPECT_TRUE(parser.complete()) << (parser.fault() ? parser.fault()->what : bytes);
  return parser.complete() ? parser.take() : Message{};
}

Message PairHub::respond(Message request) {
  HttpDoor door({.framing = Framing::http}, access_, {&dialect_}, "hub", logins_);
  Actions out;
  door.receive(std::move(request), now, out);
  for (const Submission& s : std::exchange(out.submit, {})) {
    std::vector<Outcome> outcomes;
    for (const CheckResult& r : s.results) {
      outcomes.push_back(judge(r));
      if (outcomes.back().ok) arrived.push_back(r);
    }
    door.settle(s.ticket, outcomes, now, out);
  }
  EXPECT_EQ(out.send.size(), 1U);
  return out.send.empty() ? Message::response(500, "", "text/plain") : out.send.front();
}

std::map<std::size_t, Verdict> converse(std::unique_ptr<Conversation> client, PairHub& hub,
                                        std::size_t piece) {
  std::map<std::size_t, Verdict> verdicts;
  Actions out;
  client->start(hub.now, out);
  for (int steps = 0; steps < 5000; ++steps) {
    for (Verdict& v : out.verdicts)
      EXPECT_TRUE(verdicts.emplace(v.item, v).second) << "two verdicts for item " << v.item;
    std::vector<Message> asked = std::move(out.send);
    const bool over = out.close;
    out = {};
    for (Message& m : asked) {
      Message answer = hub.serve(std::move(m), piece);
      if (!over) client->receive(std::move(answer), hub.now, out);
    }
    if (over) return verdicts;
    EXPECT_EQ(asked.size(), 1U);
    if (asked.empty()) break;
  }
  ADD_FAILURE() << "it does not end";
  return verdicts;
}

}  // namespace checkrelay
