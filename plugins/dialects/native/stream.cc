#include "plugins/dialects/native/stream.h"

#include <fmt/format.h>

#include <utility>

#include "plugins/dialects/native/batch.h"

namespace checkrelay::native {
namespace {

// One format for the whole stream, told by its first byte. Socket: a reply a result. File: none.
class Stream final : public Conversation {
 public:
  explicit Stream(const InboundContext& context)
      : file_(context.framing == Framing::file),
        max_result_(context.max_result),
        splitter_(context.max_result),
        ledger_(file_ ? Ledger::Answer::refusals : Ledger::Answer::replies) {}

  void start(Instant now, Actions&) override { heard_ = now.steady; }

  void receive(Message in, Instant now, Actions& out) override {
    if (ending_) return;
    heard_ = now.steady;
    bool passing = splitter_.passed_over() > 0;
    splitter_.feed(std::move(in.body));
    Batch batch = new_batch();
    Piece piece;
    while (splitter_.next(piece)) batch.take(piece);
    if (!passing) passing_since_ = now.steady;
    bool endless = !file_ && splitter_.passed_over() > kPassOver * max_result_;
    if (splitter_.ended() || endless) ending_ = true;
    finish_batch(std::move(batch), out);
  }

  void finish(Instant, Actions& out) override {
    if (std::exchange(ending_, true)) return flush(out);
    Batch batch = new_batch();
    Piece piece;
    if (splitter_.last(piece)) batch.take(piece);
    finish_batch(std::move(batch), out);
  }

  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    ledger_.settle(ticket, outcomes, out);
    flush(out);
  }

  [[nodiscard]] std::optional<Steady> deadline() const override {
    if (ending_ || file_) return std::nullopt;
    if (splitter_.passed_over() > 0) return passing_since_ + kPatience;
    if (splitter_.partial()) return heard_ + kIdle;
    return std::nullopt;
  }

  [[nodiscard]] bool midway() const override { return !ending_ && splitter_.partial(); }

  void expire(Instant now, Actions& out) override {
    auto due = deadline();
    if (!due || now.steady < *due) return;
    ending_ = true;
    Batch batch = new_batch();
    batch.unit = unit_of(splitter_.format());
    if (splitter_.passed_over() == 0)
      batch.refuse(splitter_.upcoming(),
                   fmt::format("incomplete, and nothing more for {}", format_duration(kIdle)));
    finish_batch(std::move(batch), out);
  }

 private:
  Batch new_batch() {
    Batch batch;
    batch.ticket = ++tickets_;
    return batch;
  }

  void finish_batch(Batch batch, Actions& out) {
    bool submitted = batch.emit(out);
    ledger_.add(std::move(batch), submitted);
    flush(out);
  }

  void flush(Actions& out) {
    if (std::string text = ledger_.text(); !text.empty())
      out.send.emplace_back().body = std::move(text);
    if (ending_ && ledger_.empty()) out.close = true;
  }

  bool file_;
  std::size_t max_result_;
  Splitter splitter_;
  Ledger ledger_;
  Ticket tickets_ = 0;
  Steady heard_{};
  Steady passing_since_{};
  bool ending_ = false;  // nothing more is read; closes once all replies are out
};

}  // namespace

std::unique_ptr<Conversation> open_stream(const InboundContext& context) {
  return std::make_unique<Stream>(context);
}

}  // namespace checkrelay::native
