#include "plugins/transports/http_client.h"

#include <algorithm>
#include <array>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "agent/runtime/loop.h"
#include "plugins/transports/curl_multi.h"
#include "plugins/transports/curl_request.h"
#include "plugins/transports/errand.h"

namespace checkrelay {
namespace {

constexpr std::size_t kSpare = 16;  // requests, some 6 KiB each

class HttpClient : public Carrier {
 public:
  HttpClient(HttpSettings settings, Loop& loop)
      : loop_(loop),
        settings_(std::move(settings)),
        self_(std::make_shared<HttpClient*>(this)),
        multi_(loop, [this](CURL* easy, CURLcode code) { answered(easy, code); }) {}
  ~HttpClient() override {
    for (Call& call : calls_) stop(call);
  }

  void carry(std::unique_ptr<Conversation> conversation,
             std::function<void(std::vector<Verdict>)> done) override {
    calls_.emplace_back(loop_, Errand(std::move(conversation), std::move(done)));
    with_curl(loop_, [this, weak = std::weak_ptr(self_)] {
      if (!weak.expired()) later([](HttpClient& self) { self.begin(); });
    });
  }

  void cancel() override {
    const Instant now = loop_.now();
    auto calls = std::exchange(calls_, {});
    for (Call& call : calls) stop(call);
    for (Call& call : calls)
      call.errand.end(Message::failure(Trouble::cancelled, "cancelled"), now);
  }

 private:
  // A conversation, and the request it waits for.
  struct Call {
    Call(Loop& loop, Errand e) : errand(std::move(e)), timer(loop, [this] { expire(); }) {}
    void expire() {
      if (auto f = on_deadline) f();  // which may end this call
    }
    Errand errand;
    std::unique_ptr<CurlRequest> request{};
    std::function<void()> on_deadline{};
    bool started = false;
    Timer timer;
  };
  using CallAt = std::list<Call>::iterator;

  template <typename F>
  void later(F f) {
    loop_.defer([weak = std::weak_ptr(self_), f] {
      if (auto self = weak.lock()) f(**self);
    });
  }

  void begin() {
    auto call =
        std::find_if(calls_.begin(), calls_.end(), [](const Call& c) { return !c.started; });
    if (call == calls_.end()) return;
    call->started = true;
    call->on_deadline = [this, call] { expire(call); };
    call->errand.start(loop_.now());
    go_on(call);
  }

  void expire(CallAt call) {
    call->errand.expire(loop_.now());
    if (!call->request || call->errand.over()) return go_on(call);
    set_deadline(*call);
  }

  void set_deadline(Call& call) {
    auto when = call.errand.deadline();
    when ? call.timer.at(*when) : call.timer.clear();
  }

  // Sends what the conversation wants sent next, or ends it. May destroy this.
  void go_on(CallAt call) {
    set_deadline(*call);
    if (auto message = call->errand.next()) return send(call, std::move(*message));
    if (call->errand.deadline()) return;
    std::list<Call> ended;
    ended.splice(ended.end(), calls_, call);
    stop(*call);
    call->errand.end(std::nullopt, loop_.now());
  }

  void send(CallAt call, Message message) {
    if (curl().trouble != nullptr) return give_up(call, curl().trouble);
    call->request = spare_request();
    if (call->request->prepare(std::move(message)) && multi_.add(call->request->easy())) return;
    call->request.reset();
    give_up(call, "curl does not take the request");
  }

  void give_up(CallAt call, const char* why) {
    call->errand.receive(Message::failure(Trouble::io, why), loop_.now());
    go_on(call);
  }

  void answered(CURL* easy, CURLcode code) {
    auto call = std::find_if(calls_.begin(), calls_.end(),
                             [&](const Call& c) { return c.request && c.request->easy() == easy; });
    if (call == calls_.end()) return;
    Message answer = call->request->answer(code);
    if (spare_.size() < kSpare) spare_.push_back(std::move(call->request));
    call->request.reset();
    call->errand.receive(std::move(answer), loop_.now());
    go_on(call);
  }

  std::unique_ptr<CurlRequest> spare_request() {
    if (spare_.empty()) return std::make_unique<CurlRequest>(settings_);
    auto request = std::move(spare_.back());
    spare_.pop_back();
    return request;
  }

  void stop(Call& call) {
    if (call.request) multi_.remove(call.request->easy());
    call.request.reset();
    call.on_deadline = nullptr;
    call.timer.clear();
  }

  Loop& loop_;
  HttpSettings settings_;
  std::shared_ptr<HttpClient*> self_;
  std::vector<std::unique_ptr<CurlRequest>> spare_;
  CurlMulti multi_;
  std::list<Call> calls_;
};

constexpr std::array kRows{
    OptionRow{.name = "timeout",
              .kind = OptionKind::duration,
              .fallback = "15s",
              .doc = "longest time for a request and its whole answer"},
    OptionRow{.name = "connect_timeout",
              .kind = OptionKind::duration,
              .fallback = "5s",
              .doc = "longest time to resolve, connect and agree on TLS"},
    OptionRow{.name = "ca_file",
              .kind = OptionKind::path,
              .doc = "PEM file of the authorities to trust instead of the system's"},
    OptionRow{
        .name = "client_cert", .kind = OptionKind::path, .doc = "PEM file of our certificate"},
    OptionRow{
        .name = "client_key", .kind = OptionKind::path, .doc = "PEM file of our certificate's key"},
    OptionRow{.name = "insecure",
              .kind = OptionKind::boolean,
              .fallback = "false",
              .doc = "true: do not verify the server's certificate"},
    OptionRow{.name = "proxy",
              .kind = OptionKind::url,
              .doc = "HTTP proxy; the environment's are ignored"},
};

}  // namespace

std::span<const OptionRow> http_client_options() { return kRows; }

Result<std::unique_ptr<Carrier>> make_http_client(const Options& options, Loop& loop) {
  return std::make_unique<HttpClient>(http_settings(options), loop);
}

}  // namespace checkrelay
