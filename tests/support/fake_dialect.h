// A dialect without a wire, for tests of the flow. Inbound over HTTP it owns /fake and reads a host
// a line from the body; it answers with a line a result, "ok ID" or "CODE ERROR".
#pragma once

#include "agent/port/dialect.h"
#include "tests/support/upstream.h"

namespace checkrelay {

class FakeDialect : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "fake"; }
  [[nodiscard]] std::string_view summary() const override { return "a fake"; }
  [[nodiscard]] bool owns_path(std::string_view path) const override { return path == "/fake"; }
  [[nodiscard]] std::unique_ptr<Conversation> inbound(const InboundContext& c) const override;
  // A login's token is in the header Fake-Token.
  [[nodiscard]] std::optional<Credentials> session(const Message& request) const override {
    const std::string* token = request.header("Fake-Token");
    return token ? std::optional(Credentials{"", Secret(*token)}) : std::nullopt;
  }
  [[nodiscard]] std::optional<OutboundTraits> traits() const override { return OutboundTraits{}; }
  // Fails where the option "broken" is set.
  [[nodiscard]] Result<std::unique_ptr<Outbound>> outbound(const Options& o) const override;
};

}  // namespace checkrelay
