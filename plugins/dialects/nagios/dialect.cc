#include "plugins/dialects/nagios/dialect.h"

#include <map>
#include <utility>

#include "agent/base/text.h"
#include "plugins/dialects/nagios/wire.h"

namespace checkrelay {
namespace {

// One check-result file. What admission refuses comes out of settle() in Actions::refused, with the
// record's line.
class CheckFile final : public Conversation {
 public:
  explicit CheckFile(std::size_t max_result) : max_(max_result), reader_(max_result) {}

  void start(Instant, Actions&) override {}

  void receive(Message in, Instant, Actions& out) override {
    buffer_ += in.body;
    Submission batch = new_batch();
    std::size_t begin = 0;
    for (std::size_t end = buffer_.find('\n', scanned_); end != std::string::npos;
         end = buffer_.find('\n', begin)) {
      take_line(std::string_view(buffer_).substr(begin, end - begin), batch, out);
      begin = end + 1;
    }
    buffer_.erase(0, begin);
    cut_overlong_line();
    scanned_ = buffer_.size();
    submit(std::move(batch), out);
  }

  void finish(Instant, Actions& out) override {
    ending_ = true;
    Submission batch = new_batch();
    if (!buffer_.empty()) take_line(std::exchange(buffer_, {}), batch, out);
    if (reader_.end()) take_record(batch, out);
    submit(std::move(batch), out);
    out.close = open_.empty();
  }

  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    auto lines = open_.extract(ticket);
    if (lines.empty()) return;
    for (std::size_t i = 0; i < outcomes.size() && i < lines.mapped().size(); ++i) {
      const Outcome& o = outcomes[i];
      if (!o.ok && (o.code == Errc::invalid || o.code == Errc::refused))
        out.refused.push_back({lines.mapped()[i], o.error});
    }
    out.close = ending_ && open_.empty();
  }

 private:
  Submission new_batch() {
    Submission batch;
    batch.ticket = ++tickets_;
    return batch;
  }

  void take_line(std::string_view line, Submission& batch, Actions& out) {
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(cut_, false)) return;  // the end of a line that was refused
    if (line.size() > max_) return reader_.too_long(line_);
    if (reader_.line(line, line_)) take_record(batch, out);
  }

  void take_record(Submission& batch, Actions& out) {
    auto [line, result] = reader_.take();
    if (!result) return void(out.refused.push_back({line, result.error().what}));
    batch.mended += make_valid_utf8(result->output) + make_valid_utf8(result->perfdata);
    batch.results.push_back(std::move(*result));
    open_[batch.ticket].push_back(line);
  }

  void cut_overlong_line() {
    if (buffer_.size() <= max_ && !cut_) return;
    if (!cut_) reader_.too_long(line_ + 1);
    cut_ = true;
    buffer_.clear();
  }

  static void submit(Submission batch, Actions& out) {
    if (!batch.results.empty()) out.submit.push_back(std::move(batch));
  }

  std::size_t max_;
  nagios::RecordReader reader_;
  std::string buffer_{};
  std::size_t scanned_ = 0;
  std::size_t line_ = 0;
  bool cut_ = false;
  bool ending_ = false;
  Ticket tickets_ = 0;
  std::map<Ticket, std::vector<std::size_t>> open_{};  // lines of the results, a batch each
};

class NagiosDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "nagios"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Nagios check-result files (cXXXXXX) in a spool directory";
  }

  [[nodiscard]] std::unique_ptr<Conversation> inbound(const InboundContext& c) const override {
    bool ours = c.framing == Framing::file && (c.file_name.empty() || is_ours(c.file_name));
    return ours ? std::make_unique<CheckFile>(c.max_result) : nullptr;
  }

 private:
  static bool is_ours(std::string_view name) {
    constexpr std::size_t kNameSize = 7;  // mkstemp's cXXXXXX
    return name.size() == kNameSize && name.front() == 'c';
  }
};

}  // namespace

const Dialect& nagios_dialect() {
  static const NagiosDialect dialect;
  return dialect;
}

}  // namespace checkrelay
