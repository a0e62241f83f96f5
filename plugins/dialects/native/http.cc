#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "plugins/dialects/native/body.h"
#include "plugins/dialects/native/stream.h"

namespace checkrelay::native {
namespace {

constexpr std::string_view kJson = "application/json";

Message fault(int status, std::string_view what) {
  std::string body;
  JsonWriter(body).begin_object().key("error").text(what).end_object();
  return Message::response(status, std::move(body), kJson);
}

bool is_msgpack(const Message& request) {
  const std::string* type = request.header("Content-Type");
  if (type == nullptr) return false;
  std::string media = lower(trimmed(std::string_view(*type).substr(0, type->find(';'))));
  constexpr std::array<std::string_view, 3> kTypes{"application/msgpack", "application/x-msgpack",
                                                   "application/vnd.msgpack"};
  return std::find(kTypes.begin(), kTypes.end(), media) != kTypes.end();
}

bool is_encoded(const Message& request) {
  const std::string* encoding = request.header("Content-Encoding");
  return encoding != nullptr && !equals_ignoring_case(trimmed(*encoding), "identity");
}

// What became of a request's results, counted.
struct Tally {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t too_long = 0;
  std::size_t forbidden = 0;
  bool full = false;
  bool unavailable = false;

  void add(const Slot& slot, const Outcome& outcome) {
    if (outcome.ok) return void(++accepted);
    ++refused;
    if (slot.too_long) ++too_long;
    if (outcome.code == Errc::refused) ++forbidden;
    full = full || outcome.code == Errc::full;
    unavailable = unavailable || outcome.code == Errc::unavailable;
  }

  [[nodiscard]] int status() const {
    if (accepted > 0) return 200;
    if (full) return 507;
    if (unavailable) return 503;
    if (refused == 0) return 400;
    if (forbidden == refused) return 403;
    return too_long == refused ? 413 : 400;
  }
};

// POST /v1/results: answered once everything is on disk, in the order of the requests.
class Http final : public Conversation {
 public:
  explicit Http(InboundContext context) : context_(std::move(context)) {}

  void start(Instant, Actions&) override {}

  void receive(Message in, Instant, Actions& out) override {
    Exchange exchange;
    if (auto refusal = refuse(in)) {
      exchange.response = std::move(refusal);
    } else {
      exchange.batch.ticket = ++tickets_;
      take_body(std::move(in.body), is_msgpack(in), context_.max_result, exchange.batch);
      if (exchange.batch.results.empty()) exchange.response = respond(exchange.batch, {});
      exchange.batch.emit(out);
    }
    open_.push_back(std::move(exchange));
    flush(out);
  }

  void finish(Instant, Actions& out) override {
    ending_ = true;
    flush(out);
  }

  void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant, Actions& out) override {
    for (Exchange& exchange : open_)
      if (exchange.batch.ticket == ticket && !exchange.response)
        exchange.response = respond(exchange.batch, outcomes);
    flush(out);
  }

 private:
  struct Exchange {
    Batch batch{};
    std::optional<Message> response{};
  };

  [[nodiscard]] std::optional<Message> refuse(const Message& request) const {
    if (!context_.authenticated) {
      Message no =
          fault(401, context_.auth_error.empty() ? "credentials are needed" : context_.auth_error);
      no.headers.push_back({"WWW-Authenticate", "Basic realm=\"checkrelay\""});
      return no;
    }
    if (request.method != "POST") {
      Message no = fault(405, quoted(request.method) + " is not POST");
      no.headers.push_back({"Allow", "POST"});
      return no;
    }
    if (is_encoded(request)) return fault(415, "a Content-Encoding is not taken here");
    return std::nullopt;
  }

  static Message respond(const Batch& batch, std::span<const Outcome> outcomes) {
    Tally tally;
    std::string items;
    std::size_t next = 0;
    Outcome own;
    for (const Slot& slot : batch.slots) {
      const Outcome& outcome = outcome_of(slot, outcomes, next, own);
      tally.add(slot, outcome);
      if (!items.empty()) items += ',';
      append_reply(items, outcome, batch.unit, slot.number);
    }
    std::string body = fmt::format(R"({{"accepted":{},"refused":{},"results":[{}]}})",
                                   tally.accepted, tally.refused, items);
    if (batch.slots.empty()) return fault(400, "no result in the body");
    Message response = Message::response(tally.status(), std::move(body), kJson);
    if (response.status == 503 || response.status == 507)
      response.headers.push_back({"Retry-After", "5"});
    return response;
  }

  void flush(Actions& out) {
    for (; !open_.empty() && open_.front().response; open_.pop_front())
      out.send.push_back(std::move(*open_.front().response));
    if (ending_ && open_.empty()) out.close = true;
  }

  InboundContext context_;
  std::deque<Exchange> open_{};
  Ticket tickets_ = 0;
  bool ending_ = false;
};

}  // namespace

std::unique_ptr<Conversation> open_http(const InboundContext& context) {
  return std::make_unique<Http>(context);
}

}  // namespace checkrelay::native
