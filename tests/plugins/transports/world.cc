#include "world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "plugins/transports/inbound.h"

namespace checkrelay {

using namespace std::chrono_literals;

class FakeConversation final : public Conversation {
 public:
  FakeConversation(InboundContext context, FakeReceiver& receiver)
      : context_(std::move(context)), receiver_(receiver) {}

  void start(Instant, Actions&) override {}
  void receive(Message in, Instant, Actions& out) override {
    if (context_.framing == Framing::http) return request(std::move(in), out);
    if (context_.framing == Framing::datagram) return line(in.body, out);
    held_ += in.body;
    std::size_t begin = 0;
    for (std::size_t end = 0; !closed_ && (end = held_.find('\n', begin)) != std::string::npos;
         begin = end + 1)
      line(held_.substr(begin, end - begin), out);
    held_.erase(0, begin);
    if (held_.size() <= context_.max_result || closed_) return;
    out.refused.push_back({0, "too long"});
    out.send.push_back(Message::bytes("too long\n"));
    out.close = closed_ = true;
  }
  void finish(Instant, Actions& out) override {
    if (!held_.empty()) line(std::exchange(held_, {}), out);
  }
  [[nodiscard]] bool midway() const override { return !held_.empty() && !closed_; }
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    if (context_.framing == Framing::http)
      return out.send.push_back(Message::response(200, outcomes[0].id, "text/plain"));
    answers_[ticket - first_] = "ok " + outcomes[0].id + "\n";
    while (!answers_.empty() && !answers_.front().empty()) {
      out.send.push_back(Message::bytes(std::move(answers_.front())));
      answers_.pop_front();
      ++first_;
    }
  }
  void answer(Ticket, Message response, Instant, Actions& out) override {
    out.send.push_back(std::move(response));
  }

 private:
  void line(const std::string& text, Actions& out) {
    if (text == "close") {
      out.send.push_back(Message::bytes("bye\n"));
      out.close = closed_ = true;
    } else if (text.starts_with("big ")) {
      out.send.push_back(Message::bytes(std::string(std::stoul(text.substr(4)), 'x') + "\n"));
    } else if (text == "bad") {  // its reply waits behind those that are not settled
      out.refused.push_back({0, "bad"});
    } else {
      submit(text, out);
      answers_.emplace_back();
    }
  }
  void submit(const std::string& host, Actions& out) {
    Submission s;
    s.ticket = ++last_;
    s.results.emplace_back();
    s.results.back().subject.host = host;
    out.submit.push_back(std::move(s));
  }
  void request(Message in, Actions& out) {
    receiver_.requests.push_back(in);
    if (in.target == "/now") {
      out.send.push_back(Message::response(200, in.method + " " + in.body, "text/plain"));
    } else if (in.target == "/operator") {
      out.inquire = ++last_;
    } else if (in.target == "/close") {
      out.send.push_back(Message::response(200, "bye", "text/plain"));
      out.close = closed_ = true;
    } else {
      submit(in.body, out);
    }
  }

  InboundContext context_;
  FakeReceiver& receiver_;
  std::string held_;
  std::deque<std::string> answers_;  // empty ones are still to come
  Ticket first_ = 1;
  Ticket last_ = 0;
  bool closed_ = false;
};

std::unique_ptr<Conversation> FakeReceiver::accept(const Peer& peer, const InboundContext& context,
                                                   std::string& why) {
  peers.push_back(peer);
  contexts.push_back(context);
  why = no;
  if (!no.empty()) return nullptr;
  return std::make_unique<FakeConversation>(context, *this);
}

void FakeReceiver::submit(const Peer& peer, Submission submission,
                          std::function<void(std::vector<Outcome>)> done) {
  std::vector<Outcome> outcomes;
  for (const CheckResult& r : submission.results) {
    results.push_back(r.subject.host);
    submitters.push_back(peer);
    outcomes.push_back({true, r.subject.host, Errc::invalid, {}});
  }
  auto call = [done = std::move(done), outcomes = std::move(outcomes)] { done(outcomes); };
  if (settles_at_once) return loop_.defer(std::move(call));
  waiting.push_back(std::move(call));
}

void FakeReceiver::inquire(const Peer& peer, Message request, std::function<void(Message)> done) {
  submitters.push_back(peer);
  loop_.defer([done = std::move(done), body = "operator " + request.body] {
    done(Message::response(200, body, "text/plain"));
  });
}

void FakeReceiver::refused(const Peer&, std::span<const Refusal> list) {
  for (const Refusal& r : list) refusals.push_back(r.what);
}

void FakeReceiver::settle_all() {
  std::deque<std::function<void()>> batch;
  batch.swap(waiting);
  for (const auto& call : batch) call();
}

Client::Client(Loop& loop, int fd) : poll_(new uv_poll_t), fd_(fd) {
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  uv_poll_init(loop.uv(), poll_, fd_);
  poll_->data = this;
  watch();
}

Client::~Client() { close(); }

void Client::watch() {
  if (!poll_) return;
  const int events = (reads_ && !over() ? UV_READABLE : 0) | (unsent_.empty() ? 0 : UV_WRITABLE);
  if (events == 0) {
    uv_poll_stop(poll_);
    return;
  }
  uv_poll_start(poll_, events, [](uv_poll_t* p, int status, int ready) {
    auto* self = static_cast<Client*>(p->data);
    if (status < 0) self->broken = true;
    self->on_ready(status < 0 ? 0 : ready);
  });
}

void Client::on_ready(int events) {
  if ((events & UV_WRITABLE) != 0) send({});
  if ((events & UV_READABLE) != 0) {
    char piece[65536];
    const ssize_t size = ::recv(fd_, piece, sizeof piece, 0);
    if (size > 0) received.append(piece, static_cast<std::size_t>(size));
    ended = ended || size == 0;
    broken = broken || (size < 0 && errno != EAGAIN);
  }
  watch();
}

void Client::send(std::string_view bytes) {
  unsent_.append(bytes);
  while (!unsent_.empty()) {
    const ssize_t size = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN) broken = true;
    if (size < 0 && errno != EAGAIN) unsent_.clear();
    if (size <= 0) break;
    unsent_.erase(0, static_cast<std::size_t>(size));
  }
  if (shut_ && unsent_.empty()) ::shutdown(fd_, SHUT_WR);
  watch();
}

void Client::shut_down() {
  shut_ = true;
  send({});
}

void Client::read(bool wanted) {
  reads_ = wanted;
  watch();
}

std::size_t Client::lines() {
  const auto from = received.begin() + static_cast<std::ptrdiff_t>(counted_);
  lines_ += static_cast<std::size_t>(std::count(from, received.end(), '\n'));
  counted_ = received.size();
  return lines_;
}

void Client::close(bool reset) {
  if (!poll_) return;
  uv_poll_stop(poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(poll_, nullptr)),
           [](uv_handle_t* h) { delete reinterpret_cast<uv_poll_t*>(h); });
  const linger hard{1, 0};
  if (reset) setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd_);
}

World::World() {
  std::string name = "/tmp/checkrelay-doors-XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  directory = name;
}

World::~World() {
  door.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

Result<std::unique_ptr<Listener>> World::try_open(std::string_view kind) {
  for (const IntakeKind& k : socket_intakes())
    if (k.name == kind) return k.open(options, limits, loop, receiver);
  return fail(Errc::unsupported, "no such kind");
}

void World::open(std::string_view kind) {
  auto opened = try_open(kind);
  ASSERT_TRUE(opened) << opened.error().what;
  door = std::move(*opened);
}

int World::port() const {
  const std::string where = door->where();
  return std::stoi(where.substr(where.rfind(':') + 1));
}

std::unique_ptr<Client> World::unix_client(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << path;
  return std::make_unique<Client>(loop, fd);
}

std::unique_ptr<Client> World::tcp_client() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return std::make_unique<Client>(loop, fd);
}

std::unique_ptr<Client> World::client() {
  return door->where().front() == '/' ? unix_client(door->where()) : tcp_client();
}

bool World::until(const std::function<bool()>& done) {
  bool late = false;
  Timer guard(loop, [&] { late = true; });
  guard.at(loop.now().steady + 120s);
  while (!done() && !late) loop.run_once();
  return done();
}

void World::turn() {
  loop.defer([] {});
  loop.run_once();
}

void World::settle_down() {
  for (int i = 0; i < 50; ++i) turn();
}

}  // namespace checkrelay
