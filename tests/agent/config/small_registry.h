// A registry with one of each sort, so that the configuration is tested without any plugin.
#pragma once

#include <array>
#include <memory>

#include "agent/port/registry.h"

namespace checkrelay::testing {

class SilentConversation : public Conversation {
 public:
  void start(Instant, Actions&) override {}
  void receive(Message, Instant, Actions&) override {}
  void finish(Instant, Actions&) override {}
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}
};

class SilentOutbound : public Outbound {
 public:
  std::unique_ptr<Conversation> open(std::span<const CheckResult>) override {
    return std::make_unique<SilentConversation>();
  }
};

// Comes in by everything but what `not_by` says; goes out where it has traits.
class SmallDialect : public Dialect {
 public:
  SmallDialect(std::string_view name, std::optional<Framing> not_by,
               std::optional<OutboundTraits> traits, std::span<const OptionRow> rows)
      : name_(name), not_by_(not_by), traits_(traits), rows_(rows) {}
  std::string_view name() const override { return name_; }
  std::string_view summary() const override { return "for tests"; }
  std::unique_ptr<Conversation> inbound(const InboundContext& context) const override {
    if (context.framing == not_by_) return nullptr;
    return std::make_unique<SilentConversation>();
  }
  std::optional<OutboundTraits> traits() const override { return traits_; }
  std::span<const OptionRow> options() const override { return rows_; }
  Result<std::unique_ptr<Outbound>> outbound(const Options& options) const override {
    if (options.text("username") == "nobody") return fail(Errc::invalid, "nobody may not log in");
    return std::make_unique<SilentOutbound>();
  }

 private:
  std::string_view name_;
  std::optional<Framing> not_by_;
  std::optional<OutboundTraits> traits_;
  std::span<const OptionRow> rows_;
};

inline constexpr std::array kSystemRows{
    OptionRow{.name = "username", .doc = "who we are"},
    OptionRow{.name = "password", .kind = OptionKind::secret, .doc = "and how we prove it"},
    OptionRow{.name = "multiline",
              .kind = OptionKind::choice,
              .fallback = "flatten",
              .doc = "long output",
              .choices = "flatten|escaped|raw"}};
inline constexpr std::array kFileRows{
    OptionRow{.name = "path", .kind = OptionKind::path, .doc = "appended to", .required = true}};
inline constexpr std::array kHttpCarrierRows{
    OptionRow{.name = "url", .kind = OptionKind::url, .doc = "the server's root", .required = true},
    OptionRow{.name = "connect_timeout", .kind = OptionKind::duration, .fallback = "5s"},
    OptionRow{.name = "insecure", .kind = OptionKind::boolean, .fallback = "false"}};
inline constexpr std::array kUnixRows{
    OptionRow{.name = "path", .kind = OptionKind::path, .required = true},
    OptionRow{.name = "mode", .kind = OptionKind::mode, .fallback = "0660"},
    OptionRow{.name = "allow_users", .kind = OptionKind::list}};
inline constexpr std::array kSpoolRows{
    OptionRow{.name = "path", .kind = OptionKind::path, .required = true},
    OptionRow{.name = "rescan", .kind = OptionKind::duration, .fallback = "30s"}};
inline constexpr std::array kListenRows{OptionRow{.name = "listen", .required = true},
                                        OptionRow{.name = "tls_cert", .kind = OptionKind::path},
                                        OptionRow{.name = "tls_key", .kind = OptionKind::path}};

inline const Registry& small_registry() {
  static const SmallDialect kNative("native", std::nullopt, std::nullopt, {});
  static const SmallDialect kNagios("nagios", Framing::http, std::nullopt, {});
  static const SmallDialect kOp5("op5", Framing::stream,
                                 OutboundTraits{.backlog = "latest",
                                                .takes_times = false,
                                                .rate = 10,
                                                .timeout = std::chrono::seconds(20)},
                                 kSystemRows);
  static const SmallDialect kFile("file", Framing::stream,
                                  OutboundTraits{.framing = Framing::append, .batch_max = 500},
                                  kFileRows);
  static const Registry kRegistry{.dialects = {&kNative, &kNagios, &kOp5, &kFile},
                                  .intakes = {{"unix", "a socket", kUnixRows, {}},
                                              {"spool", "a directory", kSpoolRows, {}},
                                              {"tcp", "a port", kListenRows, {}},
                                              {"http", "a web server", kListenRows, {}}},
                                  .carriers = {{Framing::http, kHttpCarrierRows, {}}}};
  return kRegistry;
}

}  // namespace checkrelay::testing
