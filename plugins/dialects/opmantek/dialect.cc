#include "plugins/dialects/opmantek/dialect.h"

#include <array>

#include "agent/base/text.h"
#include "plugins/dialects/opmantek/inbound.h"
#include "plugins/dialects/opmantek/jar.h"
#include "plugins/dialects/opmantek/source.h"

namespace checkrelay {
namespace {

constexpr std::array kRows{
    OptionRow{.name = "url",
              .kind = OptionKind::url,
              .doc = "the server's root; /en/omk is added where it does not end in /omk",
              .required = true},
    OptionRow{.name = "username", .doc = "who may read outages there", .required = true},
    OptionRow{.name = "password", .kind = OptionKind::secret, .doc = "this user's password"},
    OptionRow{.name = "login",
              .kind = OptionKind::choice,
              .fallback = "form",
              .doc = "how user and password are sent",
              .choices = "form|json"},
    OptionRow{.name = "api",
              .fallback = "/admin/api/v3",
              .doc = "the API's path behind it; older: /admin/v3"},
};

class OpmantekDialect : public Dialect {
 public:
  std::string_view name() const override { return "opmantek"; }
  std::string_view summary() const override {
    return "NMIS/Opmantek's API of planned outages: read there, and answered here";
  }

  bool owns_path(std::string_view path) const override { return opmantek::owns_path(path); }
  std::optional<Credentials> session(const Message& request) const override {
    Secret token = opmantek::cookie_in(request, opmantek::kCookie);
    if (token.empty()) return std::nullopt;
    return Credentials{"", std::move(token)};
  }
  std::unique_ptr<Conversation> inbound(const InboundContext& context) const override {
    return context.framing == Framing::http ? opmantek::make_inbound(context) : nullptr;
  }

  bool is_outage_source() const override { return true; }
  std::span<const OptionRow> outage_options() const override { return kRows; }
  Result<std::unique_ptr<OutageSource>> outage_source(const Options& options) const override {
    opmantek::Settings s;
    const std::string url = options.text("url");
    if (url.find_first_of("?#") != std::string::npos)
      return fail(Errc::invalid, "url: " + checkrelay::quoted(url) + " may not hold '?' or '#'");
    s.url = opmantek::base_url(url);
    s.api = options.text("api");
    if (!s.api.starts_with('/') || s.api.ends_with('/'))
      return fail(Errc::invalid,
                  "api: " + checkrelay::quoted(s.api) + " is not like /admin/api/v3");
    s.json_login = options.text("login") == "json";
    s.login = {options.text("username"), options.secret("password")};
    return opmantek::make_source(std::move(s));
  }
};

}  // namespace

const Dialect& opmantek_dialect() {
  static const OpmantekDialect dialect;
  return dialect;
}

}  // namespace checkrelay
