#include "plugins/dialects/opmantek/dialect.h"

#include <array>

#include "agent/base/text.h"
#include "plugins/dialects/opmantek/inbound.h"
#include "plugins/dialects/opmantek/jar.h"
#include "plugins/dialects/opmantek/source.h"

namespace checkrelay {
namespace {

OptionRow row(std::string_view name, OptionKind kind, std::string_view fallback,
              std::string_view doc) {
  return {.name = name, .kind = kind, .fallback = fallback, .doc = doc};
}

std::array<OptionRow, 5> make_rows() {
  std::array<OptionRow, 5> rows = {
      row("url", OptionKind::url, "",
          "the server's root; /en/omk is added where it does not end in /omk"),
      row("username", OptionKind::text, "", "who may read outages there"),
      row("password", OptionKind::secret, "", "this user's password"),
      row("login", OptionKind::choice, "form", "how user and password are sent"),
      row("api", OptionKind::text, "/admin/api/v3", "the API's path behind it; older: /admin/v3"),
  };
  rows[0].required = true;
  rows[1].required = true;
  rows[3].choices = "form|json";
  return rows;
}

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
  std::span<const OptionRow> outage_options() const override {
    static const std::array<OptionRow, 5> rows = make_rows();
    return rows;
  }
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
