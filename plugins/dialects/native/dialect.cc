#include "plugins/dialects/native/dialect.h"

#include "plugins/dialects/native/stream.h"

namespace checkrelay {
namespace {

// Those are the Nagios dialect's, whatever the order in which dialects are asked.
bool is_check_file(std::string_view name) { return name.size() == 7 && name.front() == 'c'; }

class NativeDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "native"; }
  [[nodiscard]] std::string_view summary() const override {
    return "JSON, MessagePack, Nagios external commands, send_nsca text; POST /v1/results";
  }
  [[nodiscard]] bool owns_path(std::string_view path) const override {
    return path == "/v1/results";
  }

  [[nodiscard]] std::unique_ptr<Conversation> inbound(const InboundContext& c) const override {
    switch (c.framing) {
      case Framing::stream:
        return native::open_stream(c);
      case Framing::file:
        return is_check_file(c.file_name) ? nullptr : native::open_stream(c);
      case Framing::lines:
        return native::open_lines(c);
      case Framing::datagram:
        return native::open_datagrams(c);
      case Framing::http:
        return native::open_http(c);
      case Framing::append:
      case Framing::none:
        break;
    }
    return nullptr;
  }
};

}  // namespace

const Dialect& native_dialect() {
  static const NativeDialect dialect;
  return dialect;
}

}  // namespace checkrelay
