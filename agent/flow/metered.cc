#include "agent/flow/metered.h"

#include <utility>

namespace checkrelay {
namespace {

// Host, User-Agent, Accept, Content-Length and the end of the request line, which the carrier adds.
constexpr std::size_t kOwnHead = 128;

class Metered : public Conversation {
 public:
  Metered(std::unique_ptr<Conversation> inner, std::function<void(std::size_t, Steady)> count)
      : inner_(std::move(inner)), count_(std::move(count)) {}

  void start(Instant now, Actions& out) override {
    step(now, out, [&] { inner_->start(now, out); });
  }
  void receive(Message in, Instant now, Actions& out) override {
    step(now, out, [&] { inner_->receive(std::move(in), now, out); });
  }
  void finish(Instant now, Actions& out) override {
    step(now, out, [&] { inner_->finish(now, out); });
  }
  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant now,
              Actions& out) override {
    step(now, out, [&] { inner_->settle(ticket, outcomes, now, out); });
  }
  void answer(Ticket ticket, Message response, Instant now, Actions& out) override {
    step(now, out, [&] { inner_->answer(ticket, std::move(response), now, out); });
  }
  [[nodiscard]] std::optional<Steady> deadline() const override { return inner_->deadline(); }
  void expire(Instant now, Actions& out) override {
    step(now, out, [&] { inner_->expire(now, out); });
  }

 private:
  template <typename F>
  void step(Instant now, const Actions& out, F f) {
    const std::size_t before = out.send.size();
    f();
    std::size_t bytes = 0;
    for (std::size_t i = before; i < out.send.size(); ++i) bytes += sent_size(out.send[i]);
    if (bytes > 0) count_(bytes, now.steady);
  }

  std::unique_ptr<Conversation> inner_;
  std::function<void(std::size_t, Steady)> count_;
};

}  // namespace

std::size_t sent_size(const Message& m) {
  std::size_t bytes = m.body.size();
  if (m.kind != Message::Kind::request) return bytes;
  bytes += m.method.size() + m.target.size() + kOwnHead;
  for (const Header& h : m.headers) bytes += h.name.size() + h.value.size() + 4;  // ": ", line end
  for (const SecretHeader& h : m.secret_headers)
    bytes += h.name.size() + h.value.reveal().size() + 4;
  // RFC 7617: base64 of user, colon and password.
  if (m.credentials)
    bytes += (m.credentials->user.size() + m.credentials->secret.reveal().size()) * 4 / 3 + 24;
  return bytes;
}

std::unique_ptr<Conversation> metered(std::unique_ptr<Conversation> inner,
                                      std::function<void(std::size_t bytes, Steady now)> count) {
  return std::make_unique<Metered>(std::move(inner), std::move(count));
}

}  // namespace checkrelay
