#include "plugins/dialects/op5/dialect.h"

#include <array>

#include "agent/base/text.h"
#include "plugins/dialects/op5/conversations.h"

namespace checkrelay {
namespace {

constexpr std::array kRows{
    OptionRow{.name = "url",
              .kind = OptionKind::url,
              .doc = "the OP5 server's root, https://monitor.example.com; /api is added",
              .required = true},
    OptionRow{.name = "username", .doc = "API user; user$Module picks an authentication module"},
    OptionRow{.name = "password", .kind = OptionKind::secret, .doc = "the API user's password"},
    OptionRow{.name = "multiline",
              .kind = OptionKind::choice,
              .fallback = "flatten",
              .doc = "line ends in the output: \" / \", the two characters \\n, or raw",
              .choices = "flatten|escaped|raw"},
    OptionRow{.name = "text_limit",
              .kind = OptionKind::size,
              .fallback = "4KiB",
              .doc = "longest output and perfdata together; the rest is cut"},
    OptionRow{
        .name = "verify",
        .kind = OptionKind::boolean,
        .fallback = "false",
        .doc = "read samples of what was delivered back, and tell what was taken and not applied"},
};

op5::Multiline multiline(std::string_view word) {
  if (word == "raw") return op5::Multiline::raw;
  return word == "escaped" ? op5::Multiline::escaped : op5::Multiline::flatten;
}

// The server takes what follows the first '$' as the authentication module.
Result<void> check_module(const std::string& user) {
  const std::size_t at = user.find('$');
  if (at == std::string::npos) return {};
  const bool one = at > 0 && at + 1 < user.size() && user.find('$', at + 1) == std::string::npos;
  if (one) return {};
  return fail(Errc::invalid,
              "username: " + quoted(user) +
                  " is not NAME$MODULE: names and modules are not empty and hold no '$'");
}

Result<void> check_settings(const op5::Settings& s) {
  if (s.url.find_first_of("?#") != std::string::npos) {
    return fail(Errc::invalid, "url: " + quoted(s.url) + " may not hold '?' or '#'");
  }
  if (s.login.user.find(':') != std::string::npos) {
    return fail(Errc::invalid,
                "username: " + quoted(s.login.user) + " may not hold ':' (RFC 7617)");
  }
  if (auto checked = check_module(s.login.user); !checked) return checked;
  if (s.login.user.empty() && !s.login.secret.empty()) {
    return fail(Errc::invalid, "username: missing beside a password");
  }
  if (s.hygiene.text_limit < op5::kLeastTextLimit) {
    return fail(Errc::invalid,
                "text_limit: at least " + std::to_string(op5::kLeastTextLimit) + " bytes");
  }
  return {};
}

class Op5Dialect : public Dialect {
 public:
  std::string_view name() const override { return "op5"; }
  std::string_view summary() const override { return "OP5 Monitor's HTTP API, both ways"; }

  bool owns_path(std::string_view path) const override {
    return path.starts_with(op5::kCommandPath);
  }
  std::unique_ptr<Conversation> inbound(const InboundContext& context) const override {
    return context.framing == Framing::http ? op5::make_inbound(context) : nullptr;
  }

  // OP5's own help names ten results a second as the most its API should get; its sessions of one
  // user disturb each other, so one request at a time; clients around it wait 15 s.
  std::optional<OutboundTraits> traits() const override {
    OutboundTraits traits;
    traits.framing = Framing::http;
    traits.backlog = "latest";
    traits.takes_times = false;
    traits.rate = 10;
    return traits;
  }
  std::span<const OptionRow> options() const override { return kRows; }
  Result<std::unique_ptr<Outbound>> outbound(const Options& options) const override {
    op5::Settings s;
    s.url = options.text("url");
    s.login = {options.text("username"), options.secret("password")};
    s.hygiene.multiline = multiline(options.text("multiline"));
    if (options.has("text_limit"))
      s.hygiene.text_limit = std::size_t(options.integer("text_limit"));
    s.verify = options.flag("verify");
    s.name = options.text("name");
    if (auto checked = check_settings(s); !checked) return tl::unexpected(checked.error());
    return op5::make_outbound(std::move(s));
  }
};

}  // namespace

const Dialect& op5_dialect() {
  static const Op5Dialect dialect;
  return dialect;
}

}  // namespace checkrelay
