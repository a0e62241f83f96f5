// One outside system's language, both directions. Immortal and stateless: a row in
// plugins/builtin.cc. Building a half from options touches nothing outside memory, so that `check`
// can validate any configuration anywhere.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/check_result.h"
#include "agent/port/conversation.h"
#include "agent/port/logins.h"
#include "agent/port/option.h"
#include "agent/port/outage_source.h"
#include "agent/port/read_back.h"

namespace checkrelay {

enum class Framing {
  stream,    // bytes, replies on the same pipe
  datagram,  // one Message a datagram, no replies
  lines,     // a byte stream of mixed writers (FIFO): each line judged by itself, no replies
  file,      // a file's bytes, then finish(); replies are not read, refusals go to .why
  http,      // whole HTTP messages
  append,    // outbound: bytes to be appended and synced; the echo of an empty bytes Message says
             // that they are
  none,      // outbound: nothing travels
};

// A planned outage that the agent knows of; `start` and `end` of one that is not recurring are
// epoch seconds.
struct KnownOutage {
  PlannedOutage outage{};
  bool current = false;
};

// What an inbound conversation may know of its door.
struct InboundContext {
  Framing framing = Framing::stream;
  std::size_t max_result = 64 * 1024;  // bytes of one result as sent
  std::string file_name{};             // framing file: the name within the directory; empty asks
                                       // whether files are read at all
  bool authenticated = true;  // http: the peer gave credentials that this door takes, or needs none
  std::string auth_error{};   // http: where not authenticated, why
  std::string user{};         // http: who asks; empty where the door is open
  Logins* logins = nullptr;   // http: for dialects that have a login of their own; outlives the
                              // conversation, nullptr where there are none
  std::function<std::vector<KnownOutage>(Wall now)> outages{};  // http: none where nobody knows any
};

// What a dialect's upstream can do, and so how it is fed unless the configuration says otherwise.
struct OutboundTraits {
  Framing framing = Framing::http;
  std::string_view backlog = "all";  // "latest" where the upstream stamps results on arrival
  bool takes_times = true;           // false where the upstream stamps results on arrival
  std::size_t batch_max = 1;         // results a conversation
  std::size_t max_in_flight = 1;     // conversations at once
  double rate = 0;                   // results a second, 0 = unlimited
  Duration timeout = std::chrono::seconds(15);
};

// One destination's half of a dialect: what its conversations share (a login token, say). Loop
// thread only.
class Outbound {
 public:
  virtual ~Outbound() = default;
  // `batch` is copied from; at most OutboundTraits::batch_max results, no two of one subject.
  [[nodiscard]] virtual std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) = 0;
  // Asks whether the upstream is there and takes the credentials, and sends no result: one verdict,
  // for item 0; delivered = it does. nullptr where the dialect has no such question.
  [[nodiscard]] virtual std::unique_ptr<Conversation> probe() { return nullptr; }
  // Ends what the conversations shared, a login say; asked for once, when no other is under way and
  // none will follow. No items, so no verdicts. nullptr where there is nothing to end.
  [[nodiscard]] virtual std::unique_ptr<Conversation> farewell() { return nullptr; }
  // Looks whether what was confirmed was applied; lives as long as this. nullptr where it does not.
  [[nodiscard]] virtual ReadsBack* reads_back() { return nullptr; }
  // The operator's words behind the destination's name (`checkrelay upstream NAME WORD…`). One
  // verdict, for item 0. invalid: no such command, or not this way; the error says which there are.
  [[nodiscard]] virtual Result<std::unique_ptr<Conversation>> command(
      std::span<const std::string>, std::shared_ptr<CommandReport>) {
    return fail(Errc::invalid, "this type of destination has no commands but `test`");
  }
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string_view summary() const = 0;  // one line

  // Inbound over HTTP: true where a request's path (no query) is this dialect's.
  [[nodiscard]] virtual bool owns_path(std::string_view) const { return false; }
  // Inbound over HTTP: the token of a login that this request brings, with the user where the
  // protocol names one. It counts before an Authorization header.
  [[nodiscard]] virtual std::optional<Credentials> session(const Message&) const {
    return std::nullopt;
  }
  // nullptr where the dialect does not come in by this framing.
  [[nodiscard]] virtual std::unique_ptr<Conversation> inbound(const InboundContext&) const {
    return nullptr;
  }

  // Outbound: none where it is no destination type.
  [[nodiscard]] virtual std::optional<OutboundTraits> traits() const { return std::nullopt; }
  [[nodiscard]] virtual std::span<const OptionRow> options() const {
    return {};
  }  // its own rows; common ones are config's
  [[nodiscard]] virtual Result<std::unique_ptr<Outbound>> outbound(const Options&) const {
    return fail(Errc::unsupported, "no destination type");
  }

  // Planned outages ([[outages]] type): its own rows; it travels over HTTP. A source where
  // `is_outage_source`.
  [[nodiscard]] virtual bool is_outage_source() const { return false; }
  [[nodiscard]] virtual std::span<const OptionRow> outage_options() const { return {}; }
  [[nodiscard]] virtual Result<std::unique_ptr<OutageSource>> outage_source(const Options&) const {
    return fail(Errc::unsupported, "no source of outages");
  }
};

}  // namespace checkrelay
