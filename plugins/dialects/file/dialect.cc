#include "plugins/dialects/file/dialect.h"

#include "plugins/dialects/answer.h"
#include "plugins/dialects/file/wire.h"

namespace checkrelay {
namespace {

// The whole batch is one append, so that all of it shares one sync and one verdict.
class Appending : public Conversation {
 public:
  Appending(std::string lines, std::size_t items) : lines_(std::move(lines)), items_(items) {}
  void start(Instant, Actions& out) override {
    out.send.push_back(Message::bytes(std::move(lines_)));
  }
  void receive(Message in, Instant, Actions& out) override {
    if (in.kind == Message::Kind::bytes && in.body.empty())
      return end(Judgement::delivered, "written", out);
    bool failure = in.kind == Message::Kind::failure;
    end(Judgement::transient, failure ? presentable(in.what, {}) : "no confirmation of the write",
        out);
  }
  void finish(Instant, Actions& out) override { end(Judgement::transient, "not written", out); }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  void end(Judgement judgement, const std::string& answer, Actions& out) {
    for (std::size_t i = 0; i < items_; ++i)
      out.verdicts.push_back({i, judgement, answer, std::nullopt});
    items_ = 0;
    out.close = true;
  }
  std::string lines_;
  std::size_t items_;
};

class FileOutbound : public Outbound {
 public:
  explicit FileOutbound(std::string name) : name_(std::move(name)) {}
  std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override {
    std::string lines;
    for (const CheckResult& r : batch) file::append_line(lines, r, name_);
    return std::make_unique<Appending>(std::move(lines), batch.size());
  }

 private:
  std::string name_;
};

class FileDialect : public Dialect {
 public:
  std::string_view name() const override { return "file"; }
  std::string_view summary() const override {
    return "appends results to a file, one JSON object a line";
  }
  std::optional<OutboundTraits> traits() const override {
    OutboundTraits traits;
    traits.framing = Framing::append;
    traits.batch_max = 500;
    return traits;
  }
  Result<std::unique_ptr<Outbound>> outbound(const Options& options) const override {
    return std::make_unique<FileOutbound>(options.text("name"));
  }
};

}  // namespace

const Dialect& file_dialect() {
  static const FileDialect dialect;
  return dialect;
}

}  // namespace checkrelay
