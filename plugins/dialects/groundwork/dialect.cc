#include "plugins/dialects/groundwork/dialect.h"

#include <array>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/conversations.h"

namespace checkrelay {
namespace {

using Kind = OptionKind;

// 1 MB is where GroundWork's own feeders end a batch.
constexpr std::array kRows{
    OptionRow{.name = "url",
              .kind = Kind::url,
              .doc = "the GroundWork server's root, https://groundwork.example.com; /api is added",
              .required = true},
    OptionRow{.name = "username", .doc = "an account that may write", .required = true},
    OptionRow{.name = "password",
              .kind = Kind::secret,
              .doc = "its password; with base64_user as the server stores it, encrypted"},
    OptionRow{.name = "login_encoding",
              .kind = Kind::choice,
              .fallback = "base64",
              .doc = "how user and password travel: both in base64, as they are, the user alone",
              .choices = "base64|plain|base64_user"},
    OptionRow{.name = "app_name",
              .fallback = "checkrelay",
              .doc = "our name at the server; a token is good for it alone"},
    OptionRow{.name = "app_type",
              .fallback = "NAGIOS",
              .doc = "application type that owns what is created; another's services are refused"},
    OptionRow{.name = "format",
              .kind = Kind::choice,
              .fallback = "json",
              .doc = "of batches; json_array is the bare list of GroundWork 7.0",
              .choices = "json|json_array|xml"},
    OptionRow{.name = "monitor_server",
              .fallback = "localhost",
              .doc = "the monitoring server that results are filed under"},
    OptionRow{.name = "agent_id", .doc = "agent that results are filed under; empty: none"},
    OptionRow{.name = "merge",
              .kind = Kind::boolean,
              .fallback = "true",
              .doc = "host names that differ in case alone are one host"},
    OptionRow{.name = "batch_bytes",
              .kind = Kind::size,
              .fallback = "1MB",
              .doc = "the longest body of a request; a longer item goes alone"},
};

groundwork::LoginEncoding encoding(std::string_view word) {
  if (word == "plain") return groundwork::LoginEncoding::plain;
  return word == "base64_user" ? groundwork::LoginEncoding::base64_user
                               : groundwork::LoginEncoding::base64;
}

groundwork::Format format(std::string_view word) {
  if (word == "xml") return groundwork::Format::xml;
  return word == "json_array" ? groundwork::Format::json_array : groundwork::Format::json;
}

groundwork::Settings settings_of(const Options& options) {
  groundwork::Settings s;
  s.url = options.text("url");
  s.login = {options.text("username"), options.secret("password")};
  s.app_name = options.text("app_name");
  s.login_encoding = encoding(options.text("login_encoding"));
  s.format = format(options.text("format"));
  if (options.has("merge")) s.merge = options.flag("merge");
  if (options.has("batch_bytes")) s.batch_bytes = std::size_t(options.integer("batch_bytes"));
  s.identity = {options.text("app_type"), options.text("monitor_server"), options.text("agent_id")};
  return s;
}

Result<void> check_settings(const groundwork::Settings& s) {
  if (s.url.find_first_of("?#") != std::string::npos)
    return fail(Errc::invalid, "url: " + quoted(s.url) + " may not hold '?' or '#'");
  if (s.login.user.empty()) return fail(Errc::invalid, "username: missing");
  if (s.login.secret.empty()) return fail(Errc::invalid, "password: missing");
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>{"app_name", s.app_name},
        {"app_type", s.identity.app_type}}) {
    if (value.empty()) return fail(Errc::invalid, std::string(name) + ": missing");
    auto good = check_name(name, value);
    if (!good) return good;
    if (value.find_first_of("\t\n") != std::string_view::npos)
      return fail(Errc::invalid, std::string(name) + ": " + quoted(value) + " holds a line end");
  }
  for (const std::string* text : {&s.identity.monitor_server, &s.identity.agent_id})
    if (!is_valid_utf8(*text) || text->find_first_of("\r\n") != std::string::npos)
      return fail(Errc::invalid, quoted(*text) + " is not one line of UTF-8");
  return {};
}

class GroundWorkDialect : public Dialect {
 public:
  std::string_view name() const override { return "groundwork"; }
  std::string_view summary() const override {
    return "GroundWork's REST API for hosts and services, both ways";
  }

  bool owns_path(std::string_view path) const override { return groundwork::owns(path); }
  std::optional<Credentials> session(const Message& request) const override {
    return groundwork::session_of(request);
  }
  std::unique_ptr<Conversation> inbound(const InboundContext& context) const override {
    return context.framing == Framing::http ? groundwork::make_inbound(context) : nullptr;
  }

  // It takes the time of a check, and batches; its own feeder waits 40 s. One conversation at a
  // time, since a batch is one transaction there, and two of them may want the same hosts.
  std::optional<OutboundTraits> traits() const override {
    OutboundTraits traits;
    traits.framing = Framing::http;
    traits.batch_max = 500;
    traits.timeout = std::chrono::seconds(40);
    return traits;
  }
  std::span<const OptionRow> options() const override { return kRows; }
  Result<std::unique_ptr<Outbound>> outbound(const Options& options) const override {
    groundwork::Settings s = settings_of(options);
    if (auto checked = check_settings(s); !checked) return tl::unexpected(checked.error());
    return groundwork::make_outbound(std::move(s));
  }
};

}  // namespace

const Dialect& groundwork_dialect() {
  static const GroundWorkDialect dialect;
  return dialect;
}

}  // namespace checkrelay
