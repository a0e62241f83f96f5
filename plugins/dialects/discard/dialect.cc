#include "plugins/dialects/discard/dialect.h"

namespace checkrelay {
namespace {

class Discarding : public Conversation {
 public:
  explicit Discarding(std::size_t items) : items_(items) {}
  void start(Instant, Actions& out) override {
    out.verdicts.reserve(items_);
    for (std::size_t i = 0; i < items_; ++i) {
      out.verdicts.push_back({i, Judgement::delivered, "discarded", std::nullopt});
    }
    out.close = true;
  }
  void receive(Message, Instant, Actions&) override {}
  void finish(Instant, Actions&) override {}
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  std::size_t items_;
};

class DiscardOutbound : public Outbound {
 public:
  std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override {
    return std::make_unique<Discarding>(batch.size());
  }
};

class DiscardDialect : public Dialect {
 public:
  std::string_view name() const override { return "discard"; }
  std::string_view summary() const override { return "takes everything and keeps nothing"; }
  std::optional<OutboundTraits> traits() const override {
    OutboundTraits traits;
    traits.framing = Framing::none;
    traits.batch_max = 500;
    return traits;
  }
  Result<std::unique_ptr<Outbound>> outbound(const Options&) const override {
    return std::make_unique<DiscardOutbound>();
  }
};

}  // namespace

const Dialect& discard_dialect() {
  static const DiscardDialect dialect;
  return dialect;
}

}  // namespace checkrelay
