#include "plugins/dialects/groundwork/door.h"

#include <array>
#include <cstdint>
#include <utility>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/groundwork/conversations.h"

namespace checkrelay::groundwork {
namespace {

constexpr std::string_view kToken = "gwos-api-token";
constexpr std::string_view kApp = "gwos-app-name";

void read_form(std::string_view text, Form& form) {
  for (std::string_view pair : split(text, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    form.emplace(form_decoded(pair.substr(0, equals)), form_decoded(pair.substr(equals + 1)));
  }
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// RFC 4648 section 4; none where the text is not that.
std::optional<std::string> from_base64(std::string_view text) {
  std::size_t padding = 0;
  for (; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if ((text.size() + padding) % 4 != 0) return std::nullopt;
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  for (char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    held = (held << 6U | static_cast<unsigned>(value)) & 0xffffU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 0xffU);
  }
  return out;
}

// FNV-1a. It keeps applications apart, not attackers out: the token does that.
std::string mark_of(std::string_view app_name) {
  std::uint64_t hash = 14695981039346656037U;
  for (char c : app_name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  std::string out;
  for (; out.size() < 8; hash >>= 4U) out += "0123456789abcdef"[hash & 15U];
  return "-" + out;
}

std::string text_in(const Form& form, std::string_view name) {
  auto at = form.find(name);
  return at == form.end() ? std::string() : at->second;
}

std::string_view header_or_nothing(const Message& m, std::string_view name) {
  const std::string* value = m.header(name);
  return value ? trimmed(*value) : std::string_view();
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

Place place_of(std::string_view path) {
  constexpr std::string_view kOlderRoot = "/foundation-webapp";
  if (path.starts_with(kOlderRoot)) path.remove_prefix(kOlderRoot.size());
  constexpr std::array<std::pair<std::string_view, Place>, 5> kPlaces{{
      {"/api/auth/login", Place::login},
      {"/api/auth/logout", Place::logout},
      {"/api/auth/validatetoken", Place::validate},
      {"/api/hosts", Place::hosts},
      {"/api/services", Place::services},
  }};
  for (const auto& [name, place] : kPlaces)
    if (path == name) return place;
  return Place::none;
}

bool owns(std::string_view path) { return place_of(path) != Place::none; }

Form form_of(const Message& request) {
  Form form;
  read_form(request.body, form);
  const std::size_t query = request.target.find('?');
  if (query != std::string::npos)
    read_form(std::string_view(request.target).substr(query + 1), form);
  return form;
}

std::vector<Credentials> logins_of(const Form& form) {
  const std::string user = text_in(form, "user");
  const std::string secret = text_in(form, "password");
  std::vector<Credentials> logins{{user, Secret(secret)}};
  const auto decoded_user = from_base64(user);
  if (!decoded_user || decoded_user->empty()) return logins;
  logins.push_back({*decoded_user, Secret(secret)});
  if (auto decoded_secret = from_base64(secret))
    logins.push_back({*decoded_user, Secret(std::move(*decoded_secret))});
  return logins;
}

std::string bound_token(std::string_view token, std::string_view app_name) {
  return std::string(token) + mark_of(app_name);
}

std::string unbound_token(std::string_view shown, std::string_view app_name) {
  const std::string mark = mark_of(app_name);
  if (app_name.empty() || !shown.ends_with(mark)) return {};
  return std::string(shown.substr(0, shown.size() - mark.size()));
}

std::optional<Credentials> session_of(const Message& request) {
  const Place place = place_of(path_of(request.target));
  if (place == Place::login) return std::nullopt;
  std::string_view token = header_or_nothing(request, kToken);
  std::string_view app = header_or_nothing(request, kApp);
  if (app.empty()) app = header_or_nothing(request, "app-name");  // of older clients
  Form form;
  if (place == Place::logout || place == Place::validate) {
    form = form_of(request);
    if (auto at = form.find(kToken); at != form.end()) token = at->second;
    if (auto at = form.find(kApp); at != form.end()) app = at->second;
  }
  if (token.empty()) return std::nullopt;
  return Credentials{"", Secret(unbound_token(token, app))};
}

}  // namespace checkrelay::groundwork
