#include <utility>

#include "agent/base/text.h"
#include "plugins/dialects/native/batch.h"
#include "plugins/dialects/native/body.h"
#include "plugins/dialects/native/stream.h"
#include "plugins/dialects/native/text_line.h"

namespace checkrelay::native {
namespace {

// A FIFO: its writers mix, so each line is judged by itself, has no number, and never ends the
// conversation.
class Lines final : public Conversation {
 public:
  explicit Lines(const InboundContext& context)
      : splitter_(context.max_result, Splitter::Judge::each_line) {}

  void start(Instant now, Actions&) override { heard_ = now.steady; }

  void receive(Message in, Instant now, Actions& out) override {
    heard_ = now.steady;
    splitter_.feed(std::move(in.body));
    Batch batch;
    batch.ticket = ++tickets_;
    Piece piece;
    while (splitter_.next(piece)) take(piece, batch);
    batch.emit(out);
  }

  void finish(Instant, Actions& out) override {
    Batch batch;
    batch.ticket = ++tickets_;
    Piece piece;
    if (splitter_.last(piece)) take(piece, batch);
    batch.emit(out);
    out.close = true;
  }

  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

  [[nodiscard]] std::optional<Steady> deadline() const override {
    return splitter_.partial() ? std::optional<Steady>(heard_ + kIdle) : std::nullopt;
  }

  // Half a line of a writer that died must not become the front of somebody else's.
  void expire(Instant now, Actions& out) override {
    auto due = deadline();
    if (!due || now.steady < *due) return;
    splitter_.forget();
    out.refused.push_back({0, "half a line, and nothing more for " + format_duration(kIdle)});
  }

 private:
  static void take(const Piece& piece, Batch& batch) {
    if (piece.kind != Piece::Kind::whole) return batch.refuse(0, piece.what);
    if (piece.format == Format::msgpack)
      return batch.refuse(0, "MessagePack has no lines: " + quoted(piece.bytes));
    if (piece.format != Format::nsca) return batch.take(piece.format, piece.bytes, 0);
    for (std::string_view set : split(piece.bytes, kSetEnd))
      if (!trimmed(set).empty()) batch.take(piece.format, set, 0);
  }

  Splitter splitter_;
  Ticket tickets_ = 0;
  Steady heard_{};
};

class Datagrams final : public Conversation {
 public:
  explicit Datagrams(const InboundContext& context) : max_result_(context.max_result) {}

  void start(Instant, Actions&) override {}

  void receive(Message in, Instant, Actions& out) override {
    Batch batch;
    batch.ticket = ++tickets_;
    take_text(std::move(in.body), max_result_, batch);
    if (batch.slots.empty()) out.refused.push_back({0, "an empty datagram"});
    batch.emit(out);
  }

  void finish(Instant, Actions& out) override { out.close = true; }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  std::size_t max_result_;
  Ticket tickets_ = 0;
};

}  // namespace

std::unique_ptr<Conversation> open_lines(const InboundContext& context) {
  return std::make_unique<Lines>(context);
}

std::unique_ptr<Conversation> open_datagrams(const InboundContext& context) {
  return std::make_unique<Datagrams>(context);
}

}  // namespace checkrelay::native
