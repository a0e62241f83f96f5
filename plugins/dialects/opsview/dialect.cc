#include "plugins/dialects/opsview/dialect.h"

#include <algorithm>
#include <array>

#include "agent/base/text.h"
#include "plugins/dialects/opsview/conversations.h"

namespace checkrelay {
namespace {

constexpr std::array kRows{
    OptionRow{.name = "url",
              .kind = OptionKind::url,
              .doc = "the Opsview server's root, https://monitor.example.com; /rest is added",
              .required = true},
    OptionRow{.name = "username", .doc = "API user", .required = true},
    OptionRow{.name = "password",
              .kind = OptionKind::secret,
              .doc = "the API user's password",
              .required = true},
    OptionRow{
        .name = "submit",
        .kind = OptionKind::choice,
        .fallback = "detail",
        .doc = "/rest/detail, with a lookup of each object, or /rest/status, whose answer names it",
        .choices = "detail|status"},
    OptionRow{.name = "text_limit",
              .kind = OptionKind::size,
              .fallback = "16KiB",
              .doc = "longest output, and longest perfdata; the rest is cut"},
};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

Result<void> check_settings(const opsview::Settings& s) {
  if (s.url.find_first_of("?#") != std::string::npos)
    return fail(Errc::invalid, "url: " + quoted(s.url) + " may not hold '?' or '#'");
  if (s.login.user.empty() || has_control(s.login.user) || !is_valid_utf8(s.login.user))
    return fail(Errc::invalid, "username: " + quoted(s.login.user) + " is not fit for a header");
  if (s.hygiene.text_limit < opsview::kLeastTextLimit)
    return fail(Errc::invalid,
                "text_limit: at least " + std::to_string(opsview::kLeastTextLimit) + " bytes");
  return {};
}

class OpsviewDialect : public Dialect {
 public:
  std::string_view name() const override { return "opsview"; }
  std::string_view summary() const override { return "Opsview's REST API, both ways"; }

  bool owns_path(std::string_view path) const override {
    return path == opsview::kRoot || path.starts_with("/rest/");
  }
  std::optional<Credentials> session(const Message& request) const override {
    return opsview::session_of(request);
  }
  std::unique_ptr<Conversation> inbound(const InboundContext& context) const override {
    return context.framing == Framing::http ? opsview::make_inbound(context) : nullptr;
  }

  // No document names a rate. The web application serves from several processes, one request each;
  // four at once leave most of them to people.
  std::optional<OutboundTraits> traits() const override {
    OutboundTraits traits;
    traits.framing = Framing::http;
    traits.backlog = "latest";
    traits.takes_times = false;
    traits.max_in_flight = 4;
    traits.timeout = std::chrono::seconds(30);
    return traits;
  }
  std::span<const OptionRow> options() const override { return kRows; }
  Result<std::unique_ptr<Outbound>> outbound(const Options& options) const override {
    opsview::Settings s;
    s.name = options.text("name");
    s.url = options.text("url");
    s.login = {options.text("username"), options.secret("password")};
    s.form = options.text("submit") == "status" ? opsview::Form::status : opsview::Form::detail;
    if (options.has("text_limit"))
      s.hygiene.text_limit = static_cast<std::size_t>(options.integer("text_limit"));
    if (auto checked = check_settings(s); !checked) return tl::unexpected(checked.error());
    return opsview::make_outbound(std::move(s));
  }
};

}  // namespace

const Dialect& opsview_dialect() {
  static const OpsviewDialect dialect;
  return dialect;
}

}  // namespace checkrelay
