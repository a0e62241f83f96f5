#include "plugins/transports/fifo_door.h"

#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "plugins/transports/exchange.h"
#include "plugins/transports/uv_stream.h"

namespace checkrelay {
namespace {

constexpr std::size_t kReadAtStop =
    1024 * 1024;  // bytes; a pipe holds no more unless somebody made it

class FifoDoor final : public Listener, private ByteStream::Owner, private Exchange::Pipe {
 public:
  FifoDoor(DoorState state, std::unique_ptr<UvStream> stream)
      : state_(std::move(state)),
        stream_(std::move(stream)),
        timer_(state_.loop, [this] { on_deadline(); }) {
    stream_->set_owner(*this);
    update();
  }
  ~FifoDoor() override {
    if (exchange_) exchange_->drop();
  }

  [[nodiscard]] std::string where() const override { return state_.where; }
  void drained() override { update(); }
  void stop() override;
  [[nodiscard]] bool idle() const override { return !exchange_ || !exchange_->owes(); }

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end() override {}
  void on_failure(const std::string& what) override;
  void on_progress() override {}
  void deliver(Message&&, bool) override {}
  void conclude() override {}
  void progressed() override { update(); }

  bool open_exchange();
  void update();
  void on_deadline();
  void read_the_rest();

  DoorState state_;
  std::unique_ptr<UvStream> stream_;  // none once stopped
  std::shared_ptr<Exchange> exchange_;
  Timer timer_;
};

bool FifoDoor::open_exchange() {
  if (exchange_ && !exchange_->closed()) return true;
  Peer peer;
  peer.where = state_.where;
  peer.local = true;
  InboundContext context;
  context.framing = Framing::lines;
  context.max_result = state_.max_result;
  std::string why;
  auto conversation = state_.receiver.accept(peer, context, why);
  if (!conversation) {
    log_turned_away(state_, peer, why);
    return false;
  }
  if (exchange_) exchange_->drop();
  exchange_ =
      std::make_shared<Exchange>(state_.loop, state_.receiver, std::move(peer),
                                 std::move(conversation), static_cast<Exchange::Pipe&>(*this));
  exchange_->start();
  return true;
}

void FifoDoor::on_bytes(std::string_view bytes) {
  if (open_exchange()) exchange_->receive(Message::bytes(std::string(bytes)));
  update();
}

void FifoDoor::on_failure(const std::string& what) {
  log(Level::error, "FIFO lost", {{"where", state_.where}, {"error", what}});
}

void FifoDoor::update() {
  const bool ready = !exchange_ || exchange_->ready();
  if (stream_) stream_->read(ready && !state_.receiver.congested());
  const auto due = exchange_ ? exchange_->deadline() : std::nullopt;
  if (due) {
    timer_.at(*due);
  } else {
    timer_.clear();
  }
}

void FifoDoor::on_deadline() {
  if (exchange_) exchange_->expire();
  update();
}

// What the kernel still holds would be lost with the last descriptor, and its writers believe it
// delivered.
void FifoDoor::read_the_rest() {
  std::string piece(ByteStream::kReadChunk, '\0');
  for (std::size_t total = 0; total < kReadAtStop;) {
    const ssize_t size = ::read(stream_->fd(), piece.data(), piece.size());
    if (size <= 0) break;
    total += static_cast<std::size_t>(size);
    on_bytes(std::string_view(piece).substr(0, static_cast<std::size_t>(size)));
  }
  if (exchange_) exchange_->finish();
}

void FifoDoor::stop() {
  if (!stream_) return;
  stream_->read(false);
  read_the_rest();
  stream_.reset();
  timer_.clear();
}

}  // namespace

Result<std::unique_ptr<Listener>> open_fifo_door(DoorState state, OwnedFd fd) {
  auto stream = UvStream::adopt(state.loop, fd.release());
  if (!stream) return fail(stream.error().code, state.where + ": " + stream.error().what);
  return std::make_unique<FifoDoor>(std::move(state), std::move(*stream));
}

}  // namespace checkrelay
